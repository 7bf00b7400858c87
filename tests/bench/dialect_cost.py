"""What knowing all dialects costs: normalising the same spans with all of them loaded and with one (`make bench`)."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from statistics import median

from tests.bench.workload import requests

_SPANS = 20_480
_ROUNDS = 3


def measure() -> dict[str, float]:
    """CPU seconds per 100k spans with all dialects and with OpenTelemetry GenAI and our own only, taken in turn, each in
    a process of its own, so that neither has caches or a machine that the other has not; medians.
    """
    found: dict[str, list[float]] = {"all": [], "one": []}
    for _ in range(_ROUNDS):
        for which, times in found.items():
            out = subprocess.run(
                [sys.executable, "-m", "tests.bench.dialect_cost", which], check=True, capture_output=True
            )
            times.append(json.loads(out.stdout))
    return {which: median(times) for which, times in found.items()}


def _child(which: str) -> float:
    from actorscope.ingest import decode, normalise, wide
    from actorscope.semconv import dialects

    if which == "one":
        spoken = tuple(d for d in dialects.dialects() if d.name in ("actorscope", "otel_genai"))
        normalise.dialects = wide.dialects = lambda: spoken  # type: ignore[assignment]
    bodies = list(requests(_SPANS))
    normalise.normalise(decode.decode_traces(bodies[:2]))
    batch = decode.decode_traces(bodies)
    cost = []
    for _ in range(3):
        began = resource.getrusage(resource.RUSAGE_SELF)
        normalise.normalise(batch)
        ended = resource.getrusage(resource.RUSAGE_SELF)
        cost.append(ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)
    return min(cost) / batch.num_rows * 100_000


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1]) if len(sys.argv) > 1 else measure()))
