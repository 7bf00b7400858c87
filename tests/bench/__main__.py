"""`make bench`: measures this machine and writes docs/benchmarks.md.

Everything is measured in one run, so that the ratios mean something on any machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import alert_lag, collector, desk, dialect_cost, history, lag, limits, steps
from tests.bench.program import Run, load, sizes, whole
from tests.bench.report import Found, analysis, renewed, text
from tests.bench.report import alerts as about_alerts
from tests.bench.report import collector as about_collector
from tests.bench.report import explorer as about_explorer
from tests.bench.workload import SPANS_PER_REQUEST, Rounds, as_json
from tests.e2e.harness import Program

_ALONE = ("analysis", "alerts", "explorer", "collector")
_PAIRS = 5
"""Pairs of runs of the Collector, without and with the processor."""
_DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def _say(what: object) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", flush=True)


class Loads:
    """Loads of a new `actorscope ingest` each, every one repeated: other work on the machine only ever slows it."""

    def __init__(self, rounds: Rounds, times: int) -> None:
        self._rounds, self._times = rounds, times
        self.runs: list[Run] = []
        self.sizes: list[tuple[str, int, int, int]] = []

    def add(self, name: str, door: str, spans: int, senders: int, per_second: float = 0) -> Run:
        bodies = [as_json(body) if door == "json" else body for body in self._rounds.take(spans)]
        tries = []
        for _ in range(self._times):
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder) / "data"
                with Program(data, role="ingest") as program:
                    tries.append(load(program, name, door, bodies, senders, per_second / SPANS_PER_REQUEST))
                self.sizes = self.sizes or sizes(data)
            _say(f"{name}: {tries[-1].queryable:,.0f} queryable/s, {tries[-1].cpu:.2f} CPU s per 100k")
        self.runs.append(max(tries, key=lambda run: run.queryable))
        return self.runs[-1]


def intake(loads: Loads, spans: int) -> None:
    """Each way in by itself."""
    first = loads.add("gRPC, 4 senders", "grpc", spans, 4)
    loads.add("gRPC, 1 sender", "grpc", spans, 1)
    loads.add("gRPC, 16 senders", "grpc", spans, 16)
    pace = round(first.queryable / 2, -3)
    loads.add(f"gRPC, 4 senders at {pace:,.0f} spans/s", "grpc", int(min(spans, pace * 10)), 4, pace)
    loads.add("HTTP protobuf, 4 senders", "http", spans // 2, 4)
    loads.add("HTTP JSON, 4 senders", "json", spans // 8, 4)


def soak(rounds: Rounds, minutes: float) -> Run:
    """Full rate for so long, memory looked at once a second."""
    end = time.monotonic() + minutes * 60

    def until_end() -> Iterator[bytes]:
        while time.monotonic() < end:
            yield from rounds.take(SPANS_PER_REQUEST)

    with tempfile.TemporaryDirectory() as folder, Program(Path(folder), role="ingest") as program:
        return load(program, f"gRPC, 4 senders, {minutes:g} minutes", "grpc", until_end(), 4)


def _lag(rounds: Rounds) -> lag.Lag:
    with tempfile.TemporaryDirectory() as folder:
        found = lag.measure(Path(folder), rounds)
    _say(f"{lag.FAULTS} faults in {found.rate:,.0f} spans/s, {found.missed} not found")
    return found


def _histories(most: int) -> list[history.History]:
    found = []
    for spans in (size for size in (102_400, 1_024_000, 10_240_000) if size <= most * 1.1):
        found.append(history.measure(spans))
        _say(f"{spans:,} spans of history: {found[-1].cpu:.2f} CPU s of analysis per 100k new spans")
    return found


def _part(name: str, rounds: Rounds, options: argparse.Namespace) -> list[list[str]]:
    """The sections of a part that can be measured alone."""
    if name == "analysis":
        lines = analysis(_lag(rounds), _histories(options.history))
        second = next(at for at, line in enumerate(lines) if at and line.startswith("## "))
        return [lines[:second], lines[second:]]
    if name == "alerts":
        return [about_alerts([alert_lag.measure(rounds, rate) for rate in (0, options.rate or alert_lag.RATE)])]
    if name == "explorer":
        return [about_explorer(options.history, *desk.measure(options.history, options.folder))]
    found = collector.measure(list(rounds.take(options.spans)), _PAIRS)
    if found is None:
        _say("skipped: no Go toolchain")
        return []
    return [about_collector(found)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--spans", type=int, default=409_600, help="how many each load sends; fewer over HTTP")
    parser.add_argument("--times", type=int, default=2, help="how often each load is repeated; the best is kept")
    parser.add_argument("--minutes", type=float, default=0, help="also a soak at full rate for so long")
    parser.add_argument("--history", type=int, default=1_000_000, help="up to how many spans lie in the store when analysis is measured")
    parser.add_argument("--rate", type=float, default=0, help="other spans a second while alerts are measured alone")
    parser.add_argument("--folder", type=Path, help="where the store of the explorer lies or is made, to be used again")
    parser.add_argument("--only", choices=_ALONE, help="measure this part alone and renew it in docs/benchmarks.md")
    parser.add_argument("--print", action="store_true", help="do not write docs/benchmarks.md")
    options = parser.parse_args()
    command = f'make bench ARGS="--minutes {options.minutes:g}"' if options.minutes else "make bench"
    rounds = Rounds(51_200)
    if options.only:
        for section in _part(options.only, rounds, options):
            print("\n".join(section))
            if not options.print:
                _DOCS.write_text(renewed(_DOCS.read_text(), section))
        return
    loads = Loads(rounds, options.times)
    intake(loads, options.spans)
    with tempfile.TemporaryDirectory() as folder:
        together = whole(Path(folder), list(rounds.take(options.spans)), 4)
    _say("alerts")
    alerts = [alert_lag.measure(rounds, rate) for rate in (0, alert_lag.RATE)]
    _say("steps and limits")
    found = Found(
        command=command,
        times=options.times,
        runs=loads.runs,
        whole=together,
        alerts=alerts,
        sizes=loads.sizes,
        steps=steps.both(rounds.first(40)),
        log=steps.log(rounds.first(100)),
        door=limits.empty_door(list(rounds.take(options.spans)), 4),
        inserts=limits.inserts(),
        dialects=dialect_cost.measure(),
        lag=_lag(rounds),
        histories=_histories(options.history),
        explorer=(options.history, *desk.measure(options.history)),
        soak=soak(rounds, options.minutes) if options.minutes else None,
        collected=collector.measure(list(rounds.take(options.spans)), _PAIRS),
    )
    print(text(found))
    if not options.print:
        _DOCS.write_text(text(found))


if __name__ == "__main__":
    main()
