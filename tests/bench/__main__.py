"""`make bench`: measures this machine and writes docs/benchmarks.md.

Everything is measured in one run, so that the ratios mean something on any machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
from tests.bench import dialect_cost
from tests.bench.program import Load, Measured, end_to_end
from tests.bench.workload import SPANS_PER_REQUEST, requests

from actorscope.ingest import decode, decode_python
from actorscope.ingest.normalise import normalise
from actorscope.ingest.spool import Segment, record_of
from actorscope.semconv.dialects import dialects

_DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _per_100k(seconds: float, spans: int) -> float:
    return seconds / spans * 100_000


def steps(bodies: list[bytes]) -> dict[str, Any]:
    """What the single steps of the hot path cost, one thread, in CPU seconds per 100k spans."""
    spans = len(bodies) * SPANS_PER_REQUEST
    cost = {}
    for step in (decode.decode_traces, decode_python.decode_traces):  # the first call loads code
        normalise(step(bodies[:2]))
    began = _cpu()
    for body in bodies:
        decode.inspect("traces", body)
    cost["inspect (parse, check ids)"] = _per_100k(_cpu() - began, spans)
    began = _cpu()
    batch = decode.decode_traces(bodies)
    cost[f"decode to Arrow ({decode.name()})"] = _per_100k(_cpu() - began, spans)
    began = _cpu()
    decode_python.decode_traces(bodies)
    cost["the reference decoder, for comparison"] = _per_100k(_cpu() - began, spans)
    began = _cpu()
    normalise(batch)
    cost["normalise (Polars)"] = _per_100k(_cpu() - began, spans)
    known = dialect_cost.measure()
    cost["normalise with all dialects loaded, warm"] = known["all"]
    cost["normalise with OpenTelemetry GenAI only, warm"] = known["one"]
    with tempfile.TemporaryDirectory() as folder:
        segment = Segment(Path(folder) / "1.wal")
        began, wall = _cpu(), time.monotonic()
        for body in bodies:
            segment.append([record_of("traces", body)])
        cost["log append, one fdatasync a request"] = _per_100k(_cpu() - began, spans)
        cost["_log_wall"] = _per_100k(time.monotonic() - wall, spans)
        segment.close()
    return cost


def null_server(bodies: list[bytes], senders: int) -> float:
    """Spans per second into a gRPC handler that does nothing: the limit of this transport and this client."""
    from concurrent.futures import ThreadPoolExecutor

    handler = grpc.method_handlers_generic_handler(
        "opentelemetry.proto.collector.trace.v1.TraceService",
        {"Export": grpc.unary_unary_rpc_method_handler(lambda body, context: b"")},
    )
    server = grpc.server(ThreadPoolExecutor(64), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    load = Load(f"127.0.0.1:{port}", senders)
    seconds = load.send(bodies)
    server.stop(0)
    return len(bodies) * SPANS_PER_REQUEST / seconds


def report(spans: int, senders: int, parts: dict[str, Any], limit: float, found: Measured) -> str:
    """The text of docs/benchmarks.md."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rows = [
        ("spans acknowledged per second", f"{found.acked_per_second:,.0f}"),
        ("spans per second until queryable", f"{found.visible_per_second:,.0f}"),
        ("acknowledgement, median / 99th percentile", f"{found.ack_median_ms:.0f} / {found.ack_p99_ms:.0f} ms"),
        ("CPU seconds per 100k spans, with analysis", f"{found.cpu_per_100k:.2f}"),
        (
            "bytes on disk per 100k spans, merged",
            f"{found.disk_per_100k / 2**20:.1f} MiB ({found.disk_per_100k / 1e5:.0f} B a span)",
        ),
        ("peak memory of the process", f"{found.peak_rss_mib:,.0f} MiB"),
        ("analysis caught up after the last acknowledgement", f"{found.analysed_after:.1f} s"),
        ("from span export to finding, idle (median of 5)", f"{found.lag_idle:.2f} s"),
        ("from span export to finding, while loading (median of 3)", f"{found.lag_busy:.2f} s"),
        (
            "acknowledged against an empty gRPC handler in the same run",
            f"{found.acked_per_second / limit:.2f} (it takes {limit:,.0f} spans/s)",
        ),
    ]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; every number comes from that run, client and server on the same cores.",
        "",
        f"- machine: {os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}",
        f"- load: {spans:,} spans of 15 attributes in requests of {SPANS_PER_REQUEST}, {senders} senders, OTLP/gRPC, embedded store",
        "",
        "## The whole way",
        "",
        "| what | measured |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        "## The steps of the hot path (CPU seconds per 100k spans, one thread)",
        "",
        "| step | CPU s |",
        "| --- | --- |",
        *(f"| {name} | {value:.3f} |" for name, value in parts.items() if not name.startswith("_")),
        "",
        f"One request after another, each with its own fdatasync, the log takes {100_000 / parts['_log_wall']:,.0f} spans/s on this disk.",
        f"Knowing all {len(dialects())} dialects costs "
        f"{parts['normalise with all dialects loaded, warm'] / parts['normalise with OpenTelemetry GenAI only, warm']:.2f} times "
        "what knowing the one costs that is spoken.",
        "Senders hear OK after the first and the last step. Only `inspect`, and the reference decoder where the columnar one",
        "declines, touch an object per span.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--spans", type=int, default=307_200)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--print", action="store_true", help="do not write docs/benchmarks.md")
    options = parser.parse_args()
    bodies = list(requests(options.spans))
    parts = steps(bodies[:100])
    limit = null_server(bodies, options.senders)
    with tempfile.TemporaryDirectory() as folder:
        found = end_to_end(Path(folder), bodies, options.senders)
    text = report(options.spans, options.senders, parts, limit, found)
    print(text)
    if not options.print:
        _DOCS.write_text(text)


if __name__ == "__main__":
    main()
