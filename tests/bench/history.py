"""What analysis of new spans costs, by how many are in the store already; each history in a process of its own.

A history is spread over 90 days and goes through the tables that the program writes, views and rollups included. Its last
part is judged by the real runner; what analysis keeps of the parts before (facts with their rollups, edges, occurrences, and
the memories that grow with what was done) is made of copies of that, under ids, signatures, causes and times of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.workload import SPANS_PER_REQUEST, Rounds
from tests.processes import rss_mib

from actorscope.analysis import arrivals, frames, jury, ledger, runner
from actorscope.analysis.runner import Runner
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate
from actorscope.ingest.writer import _told, span_rows
from actorscope.settings import AnalysisSettings

DAYS, VARIETY = 90, 4
PASS, JUDGED, NEW = 20_480, 51_200, 122_880
ROUND, _REQUESTS = 51_200, 80
_GROWING = ("cause_writes", "failures", "first_targets", "hand_offs")
"""Memories whose keys are made by what is done; those of the others are as many as agents and kinds of tasks."""
_FACTS = """INSERT INTO span_facts SELECT * REPLACE(
    {other} AS trace_id, start_time - INTERVAL {back} SECOND AS start_time, concat(cause_id, '{n}') AS cause_id,
    if(signature = '', '', concat(signature, '{n}')) AS signature, {n} AS version)
FROM span_facts AS t WHERE t.version >= {since} AND t.start_time >= '{first}'"""
_EDGES = """INSERT INTO delegation_rows SELECT * REPLACE(
    {other} AS trace_id, start_time - INTERVAL {back} SECOND AS start_time, {n} AS version)
FROM delegation_rows AS t WHERE t.version >= {since} AND t.start_time >= '{first}'"""
_OCCURRENCES = """INSERT INTO occurrences SELECT * REPLACE(
    lower(hex(bitXor(reinterpretAsUInt128(unhex(trace_id)), toUInt128({n})))) AS trace_id,
    at - INTERVAL {back} SECOND AS at, {n} AS version)
FROM occurrences AS t WHERE t.version >= {since}"""
_MEMORIES = """INSERT INTO baselines (name, key, at, trace_id, value, version)
SELECT name, concat(key, '{n}'), at, trace_id, value, toUnixTimestamp64Nano(now64(9)) FROM baselines AS t
WHERE t.name IN ({names}) AND t.version >= {since} AND NOT match(t.key, '#[0-9]+$')"""
"""Columns are qualified: the engine takes a bare name for what stands in their place in the same SELECT."""


@dataclass
class History:
    """CPU seconds of analysis per 100k new spans, and where they went."""

    spans: int
    judged: int
    cpu: float
    passes: list[float]
    """Seconds per pass."""
    rss_mib: float
    stages: dict[str, float]
    made_in: float


def measure(spans: int) -> History:
    ran = subprocess.run([sys.executable, "-m", __name__, str(spans)], check=True, capture_output=True, text=True)
    return History(**json.loads(ran.stdout.splitlines()[-1]))


def _measure(spans: int) -> dict[str, Any]:
    began = time.monotonic()
    rounds = Rounds(ROUND, VARIETY, DAYS * 86_400 / max(1, spans // ROUND))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"chdb://{Path(folder) / 'store'}")
        fill, judged = lay(store, rounds, spans)
        made_in = time.monotonic() - began
        analyst, costs = Runner(store, AnalysisSettings(batch_spans=PASS)), Counter[str]()
        fill.put(PASS)
        analyst.run_once()
        fill.put(NEW)
        _rest(store)
        _watch(costs)
        Path("/proc/self/clear_refs").write_text("5")
        passes = []
        before = time.process_time()
        while (done := analyst.run_once()).spans:
            passes.append(done.seconds)
        cpu = time.process_time() - before
        found = History(
            spans, judged, cpu / NEW * 1e5, passes, rss_mib([int(Path("/proc/self").resolve().name)]),
            {name: seconds / NEW * 1e5 for name, seconds in costs.items()}, made_in,
        )  # fmt: skip
        store.close()
    return vars(found)


def lay(store: Store, rounds: Rounds, spans: int) -> tuple[_Fill, int]:
    """Write a history into an empty store; what goes on writing, and how many spans were really judged."""
    migrate(store)
    fill = _Fill(store, rounds)
    judged = min(spans, JUDGED)
    fill.put(spans - judged)
    _pass_over(store, fill.first)
    fill.put(judged)
    since = time.time_ns()
    Runner(store, AnalysisSettings(batch_spans=PASS)).run_to_end()
    _copy(store, since, (spans - judged) // judged)
    _rest(store)
    return fill, judged


class _Fill:
    """Writes spans as the writer does."""

    def __init__(self, store: Store, rounds: Rounds) -> None:
        self._store, self._rounds, self.first = store, rounds, 1

    def put(self, spans: int) -> None:
        for at in range(0, spans, _REQUESTS * SPANS_PER_REQUEST):
            bodies = self._rounds.take(min(spans - at, _REQUESTS * SPANS_PER_REQUEST))
            rows = _told(span_rows("bench", self.first, [record_of("traces", body, SPANS_PER_REQUEST) for body in bodies]))
            self.first += rows.num_rows
            self._store.insert("span_rows", rows, f"bench-{self.first}")


def _pass_over(store: Store, first: int) -> None:
    store.command(f"INSERT INTO progress VALUES ('bench', {first - 1}, {first - 1}, now64(9))")


def _copy(store: Store, since: int, times: int) -> None:
    other = "reinterpretAsFixedString(bitXor(reinterpretAsUInt128(trace_id), toUInt128({n})))"
    first = store.frame(f"SELECT toString(min(start_time)) AS t FROM span_facts WHERE version >= {since}")["t"].item()
    for n in range(1, times + 1):
        values = {"n": n, "back": round(DAYS * 86_400 * n / (times + 1)), "since": since, "first": first, "other": other.format(n=n)}
        for statement in (_FACTS, _EDGES, _OCCURRENCES):
            store.command(statement.format(**values))
        names = ", ".join(f"'{name}'" for name in _GROWING)
        store.command(_MEMORIES.format(names=names, **{**values, "n": f"#{n}"}))


def _rest(store: Store, longest: float = 60.0) -> None:
    """Until merges are done."""
    end = time.monotonic() + longest
    while time.monotonic() < end:
        time.sleep(1)
        if not store.frame("SELECT count() FROM system.merges").item():
            return


def _watch(costs: Counter[str]) -> None:
    """Add up the CPU time of the parts of a pass."""
    stages: dict[str, tuple[Any, str]] = {
        "read spans": (frames, "read"), "weave": (frames, "touch"), "keep facts": (runner, "keep"), "frames, memories": (frames, "fill"),
        "detectors": (jury.Jury, "judge"), "known places": (ledger, "places"), "save findings": (Runner, "_save"),
        "what is new": (arrivals.Arrivals, "new"),
    }  # fmt: skip
    for name, (owner, function) in stages.items():
        setattr(owner, function, _timed(getattr(owner, function), name, costs))


def _timed(function: Callable[..., Any], name: str, costs: Counter[str]) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return function(*given, **named)
        finally:
            costs[name] += time.process_time() - began  # type: ignore[assignment]

    return timed


def shown(histories: list[History]) -> list[list[str]]:
    """A row of the document for each."""
    least = histories[0].cpu
    return [
        [
            f"{h.spans:,}", f"{h.judged:,}", f"{h.cpu:.2f}", f"{h.cpu / least:.2f}", f"{median(h.passes):.2f}", f"{h.rss_mib:,.0f}",
            f"{h.made_in:.0f}",
        ]
        for h in histories
    ]  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(in_worker(lambda: _measure(int(sys.argv[1])))))
