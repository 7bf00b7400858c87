"""`make bench`: measures this machine and writes docs/benchmarks.md.

Everything is measured in one run, so that the ratios mean something on any machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import dialect_cost, limits, steps
from tests.bench.program import Run, load, sizes, whole
from tests.bench.report import Found, text
from tests.bench.workload import SPANS_PER_REQUEST, Rounds, as_json
from tests.e2e.harness import Program

_DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def _say(what: object) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", flush=True)


def _fresh(name: str, door: str, bodies: list[bytes], senders: int, per_second: float = 0) -> tuple[Run, list[tuple[str, int, int, int]]]:
    """A load of a new `actorscope ingest`, and what lies on its disk."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with Program(data, role="ingest") as program:
            run = load(program, name, door, bodies, senders, per_second)
        _say(f"{name}: {run.acked:,.0f} acked/s, {run.queryable:,.0f} queryable/s, {run.cpu:.2f} CPU s per 100k")
        return run, sizes(data)


def intake(rounds: Rounds, spans: int, times: int) -> tuple[list[Run], list[tuple[str, int, int, int]]]:
    """Each way in by itself, the first of them `times` times: other work on the machine only ever slows it."""
    tries = [_fresh("gRPC, 4 senders", "grpc", list(rounds.take(spans)), 4) for _ in range(times)]
    best, lying = max(tries, key=lambda found: found[0].queryable)
    rest = [_fresh(f"gRPC, {n} sender{'s' * (n > 1)}", "grpc", list(rounds.take(spans)), n)[0] for n in (1, 16)]
    pace = best.queryable / 2
    rest.append(_fresh(f"gRPC, 4 senders, {pace:,.0f}/s", "grpc", list(rounds.take(spans)), 4, pace / SPANS_PER_REQUEST)[0])
    rest.append(_fresh("HTTP protobuf, 4 senders", "http", list(rounds.take(spans // 2)), 4)[0])
    as_text = [as_json(body) for body in rounds.take(spans // 8)]
    rest.append(_fresh("HTTP JSON, 4 senders", "json", as_text, 4)[0])
    return [best, *rest], lying


def soak(rounds: Rounds, minutes: float) -> Run:
    """Full rate for so long, memory looked at once a second."""
    end = time.monotonic() + minutes * 60

    def until_end() -> Iterator[bytes]:
        while time.monotonic() < end:
            yield from rounds.take(SPANS_PER_REQUEST)

    with tempfile.TemporaryDirectory() as folder, Program(Path(folder), role="ingest") as program:
        return load(program, f"gRPC, 4 senders, {minutes:g} minutes", "grpc", until_end(), 4)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--spans", type=int, default=409_600, help="how many each load sends; fewer over HTTP")
    parser.add_argument("--times", type=int, default=2, help="how often the first load is repeated; the best is kept")
    parser.add_argument("--minutes", type=float, default=0, help="also a soak at full rate for so long")
    parser.add_argument("--print", action="store_true", help="do not write docs/benchmarks.md")
    options = parser.parse_args()
    command = f'make bench ARGS="--minutes {options.minutes:g}"' if options.minutes else "make bench"
    rounds = Rounds(51_200)
    runs, lying = intake(rounds, options.spans, options.times)
    with tempfile.TemporaryDirectory() as folder:
        together = whole(Path(folder), list(rounds.take(options.spans)), 4)
    _say("steps and limits")
    found = Found(
        command=command,
        runs=runs,
        whole=together,
        sizes=lying,
        steps=steps.both(rounds.first(40)),
        log=steps.log(rounds.first(100)),
        door=limits.empty_door(list(rounds.take(options.spans)), 4),
        inserts=limits.inserts(),
        dialects=dialect_cost.measure(),
        soak=soak(rounds, options.minutes) if options.minutes else None,
    )
    print(text(found))
    if not options.print:
        _DOCS.write_text(text(found))


if __name__ == "__main__":
    main()
