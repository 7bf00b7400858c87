"""What the processor costs: the same load through the same Collector with and without it, by turns, into a door that forgets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from google.protobuf.internal.decoder import _DecodeVarint
from google.protobuf.internal.encoder import _VarintBytes
from tests.bench.load import Load, by_grpc
from tests.bench.workload import SPANS_PER_REQUEST
from tests.collector.collector import READY, Collector
from tests.conftest import ROOT
from tests.processes import cpu_seconds, rss_mib

SENDERS = 4
_MEMORY = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "${{env:OTLP_GRPC_ENDPOINT}}", max_recv_msg_size_mib: 64}}}}}}}}
processors:
  batch: {{send_batch_size: 2048, send_batch_max_size: 2048}}
  actorscope:
exporters:
  otlp_grpc/actorscope:
    endpoint: ${{env:ACTORSCOPE_ENDPOINT}}
    compression: {compression}
    tls: {{insecure: true}}
    sending_queue: {{enabled: false}}
service:
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: "${{env:METRICS_PORT}}"}}}}}}}}]}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp_grpc/actorscope]}}}}
"""
_SENT = "otelcol_exporter_sent_spans"
_BENCH = re.compile(r"^BenchmarkSpan/(\w+)\S*\s+\d+\s+(\d+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op", re.MULTILINE)


@dataclass
class Pipeline:
    """One pipeline; spans per second, CPU seconds per 100k spans and MiB of the Collector, without and with the processor."""

    name: str
    rates: tuple[list[float], list[float]]
    cpu: tuple[list[float], list[float]]
    rss_mib: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Median over pairs of runs that came one after the other."""
        return median(on / off for off, on in zip(*self.rates, strict=True))


@dataclass
class Found:
    """All that was measured; `spans` holds ns, bytes and allocations per span by configuration, `load` the load average meanwhile.

    `sizes` are the bytes of a span before and after the processor.
    """

    pipelines: list[Pipeline]
    spans: dict[str, tuple[int, int, int]]
    sent: int
    load: float
    sizes: tuple[float, float]


def measure(bodies: list[bytes], rounds: int) -> Found | None:
    """None where there is no Go toolchain."""
    if not shutil.which("go"):
        return None
    found = []
    for name in ("batch in memory, no compression", "batch in memory, gzip", "otel-config.yaml: queue on disk with fsync, gzip"):
        pipeline = Pipeline(name, ([], []), ([], []), (0, 0))
        memory = [0.0, 0.0]
        for _ in range(rounds):
            for on in (0, 1):
                rate, cpu, memory[on] = _one(name, bool(on), bodies)
                pipeline.rates[on].append(rate)
                pipeline.cpu[on].append(cpu)
        pipeline.rss_mib = (memory[0], memory[1])
        found.append(pipeline)
    load = os.getloadavg()[2]
    return Found(found, _per_span(), len(bodies) * SPANS_PER_REQUEST, load, _sizes(bodies[0]))


def _one(name: str, is_on: bool, bodies: list[bytes]) -> tuple[float, float, float]:
    spans = len(bodies) * SPANS_PER_REQUEST
    door = [sys.executable, "-m", "tests.bench.limits", "door"]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(door, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sink:
        assert sink.stdout and sink.stdin
        config, more = Path(folder) / "config.yaml", ""
        if name.startswith("otel-config"):
            config = READY
            more = "" if is_on else "service: {pipelines: {traces: {processors: [memory_limiter]}}}\n"
        else:
            processors = "actorscope, batch" if is_on else "batch"
            config.write_text(_MEMORY.format(compression="gzip" if "gzip" in name else "none", processors=processors))
        port = int(sink.stdout.readline())
        with Collector(Path(folder) / "run", config, more, ACTORSCOPE_ENDPOINT=f"127.0.0.1:{port}", MEMORY_MIB="4096") as collector:
            assert collector.process
            load = Load(by_grpc(collector.where["grpc"]), SENDERS)
            load.run(bodies[:16])
            warm = 16 * SPANS_PER_REQUEST
            _wait(collector, warm)
            before, began = cpu_seconds([collector.process.pid]), time.monotonic()
            load.run(bodies)
            _wait(collector, warm + spans)
            seconds, used = time.monotonic() - began, cpu_seconds([collector.process.pid]) - before
            memory = rss_mib([collector.process.pid])
        sink.stdin.close()
    return spans / seconds, used / spans * 100_000, memory


def _wait(collector: Collector, spans: int) -> None:
    """Until so many spans have left the Collector."""
    end = time.monotonic() + 300
    while collector.counted(_SENT) < spans:
        if time.monotonic() > end:
            raise TimeoutError(f"{collector.counted(_SENT):,.0f} of {spans:,} spans left the Collector:\n{collector.log()[-2000:]}")
        time.sleep(0.05)


def _sizes(body: bytes) -> tuple[float, float]:
    """Bytes of a span of this request, and of what the processor makes of it."""
    frame = _VarintBytes(len(body) + 1) + b"t" + body
    made = subprocess.run(["go", "run", "./cmd/replay"], cwd=ROOT / "collector", check=True, capture_output=True, input=frame).stdout
    _, start = _DecodeVarint(made, 0)
    return len(body) / SPANS_PER_REQUEST, (len(made) - start - 1) / SPANS_PER_REQUEST


def _per_span() -> dict[str, tuple[int, int, int]]:
    """The benchmark of the processor itself, one thread."""
    command = ["go", "test", "-run", "^$", "-bench", "BenchmarkSpan", "-cpu", "1", "-benchtime", "200000x", "./actorscopeprocessor"]
    done = subprocess.run(command, cwd=ROOT / "collector", check=True, capture_output=True, text=True)
    return {name: (int(ns), int(size), int(count)) for name, ns, size, count in sorted(_BENCH.findall(done.stdout))}
