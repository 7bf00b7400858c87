"""The steps of the hot path in this process, one thread: the native module and Python at the same requests."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.workload import SPANS_PER_REQUEST, as_json

from actorscope.ingest import decode
from actorscope.ingest.normalise import normalise
from actorscope.ingest.spool import Segment, record_of
from actorscope.ingest.writer import span_rows

_ROUNDS = 3


def _cost(spans: int, work: Callable[[], object]) -> float:
    """CPU seconds per 100k spans, the best of some rounds: the first loads code."""
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found) / spans * 100_000


def both(bodies: list[bytes]) -> dict[str, dict[str, float]]:
    """Cost of each step by decoder; without the native module there is one."""
    names = [decode.name(), "python"] if decode.native() else ["python"]
    found = {}
    for name in names:
        decode.choose("python" if name == "python" else "native")
        found[name] = _steps(bodies, SPANS_PER_REQUEST)
    decode.choose("auto")
    return found


def _steps(bodies: list[bytes], each: int) -> dict[str, float]:
    spans, json = len(bodies) * each, [as_json(body) for body in bodies[:4]]
    records = [record_of("traces", body, each) for body in bodies]
    decoded = decode.decode_traces(bodies)
    return {
        "inspect (before OK)": _cost(spans, lambda: [decode.inspect("traces", body) for body in bodies]),
        "OTLP/JSON to protobuf (before OK)": _cost(
            len(json) * each, lambda: [decode.from_json("traces", body) for body in json]
        ),
        "decode to Arrow": _cost(spans, lambda: decode.decode_traces(bodies)),
        "normalise": _cost(spans, lambda: normalise(decoded)),
        "all from log records to rows": _cost(spans, lambda: span_rows("bench", 0, records)),
    }


def log(bodies: list[bytes]) -> tuple[float, float]:
    """CPU seconds per 100k spans of the log, and spans per second, when each request waits for its own fdatasync."""
    spans = len(bodies) * SPANS_PER_REQUEST
    with tempfile.TemporaryDirectory() as folder:
        segment = Segment(Path(folder) / "1.wal")
        began, wall = time.process_time(), time.monotonic()
        for body in bodies:
            segment.append([record_of("traces", body, SPANS_PER_REQUEST)])
        found = (time.process_time() - began) / spans * 100_000, spans / (time.monotonic() - wall)
        segment.close()
    return found
