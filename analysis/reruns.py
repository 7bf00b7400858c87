"""Why something ran again: one of nine classes, on what basis, and the spans that show it. Pure; no store, no clock.

| class | it ran again because |
| --- | --- |
| `schedule` | a clock started it |
| `retry` | an earlier attempt failed |
| `redelivery` | the same execution was started twice: a message or recorded work was delivered again |
| `resume` | an interrupted run went on |
| `human` | a person asked for the same once more |
| `upstream duplicate` | the caller sent the same request as a run of its own |
| `self` | the agent repeated it within one run |
| `new request` | something else was asked for, or it undoes the earlier run |
| `unknown` | nothing on record tells |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from actorscope.analysis.finding import Evidence

CLASSES = ("schedule", "retry", "redelivery", "resume", "human", "upstream duplicate", "self", "new request", "unknown")
_STATED = {
    "schedule": ("schedule", "a clock started it"),
    "retry": ("retry", "it says that an earlier attempt failed"),
    "resume": ("resume", "it says that it goes on from an interrupted run"),
    "replay": ("redelivery", "it says that recorded work is run again"),
    "compensation": ("new request", "it undoes what an earlier run did"),
}
_FEWEST_OF_SCHEDULE = 3
_SLACK = 0.1
"""How much the intervals of a schedule that nobody declared may differ, as a share."""
_SHORTEST_INTERVAL = timedelta(minutes=1)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Rerun:
    """A class of CLASSES with what it rests on."""

    kind: str
    basis: str
    why: str
    evidence: tuple[Evidence, ...]


def rerun(run: Row, siblings: Sequence[Row]) -> Rerun:
    """Why `run` happened although `siblings` had; those that began later, and itself, are left out.

    Rows are runs or actions: `trace_id`, `span_id`, `start_time`, and as far as known `end_time`, `trigger`, `execution_id`,
    `execution_original_id`, `attempt`, `cause_id`, `user_id`, `conversation_id`, `is_error`, `state`, `run_span_id`,
    `link_trace_ids`. With no earlier sibling it is a new request: nothing was repeated.
    """
    place = _place(run)
    earlier = sorted((s for s in siblings if _place(s) < place), key=_place)
    if not earlier:
        return Rerun("new request", "derived", "nothing like it is known from before", (_itself(run),))
    for judge in (_by_trigger, _by_execution, _by_trace, _by_link, _by_rhythm, _by_cause):
        found = judge(run, earlier)
        if found is not None:
            return found
    return Rerun("unknown", "inferred", "no cause is on record", _both(run, earlier[-1]))


def _place(row: Row) -> tuple[Any, ...]:
    return row["start_time"], row["trace_id"], row["span_id"]


def _by_trigger(run: Row, earlier: Sequence[Row]) -> Rerun | None:
    if run.get("trigger") not in _STATED:
        return None
    kind, why = _STATED[run["trigger"]]
    return Rerun(kind, "declared", why, _both(run, earlier[-1]))


def _by_execution(run: Row, earlier: Sequence[Row]) -> Rerun | None:
    """The same declared execution, or one that names it as its original."""
    own = {run.get("execution_id"), run.get("execution_original_id")} - {None, ""}
    same = [s for s in earlier if own & {s.get("execution_id"), s.get("execution_original_id")} and s["trace_id"] != run["trace_id"]]
    if not same:
        return None
    return _after(run, same[-1], "declared", "the same execution", "was started again")


def _by_trace(run: Row, earlier: Sequence[Row]) -> Rerun | None:
    """In one trace the agent itself repeats; after a failure that is a retry. What says otherwise is another cause."""
    same = [s for s in earlier if s["trace_id"] == run["trace_id"] and not _differ(run, s)]
    if not same:
        return None
    if same[-1].get("is_error"):
        return Rerun("retry", "derived", "the one before it in the same trace failed", _both(run, same[-1]))
    return Rerun("self", "derived", "the agent had done it in the same trace", _both(run, same[-1]))


def _by_link(run: Row, earlier: Sequence[Row]) -> Rerun | None:
    linked = [s for s in earlier if s["trace_id"] in (run.get("link_trace_ids") or ())]
    return _after(run, linked[-1], "derived", "a run that it links to", "had ended") if linked else None


def _after(run: Row, before: Row, basis: str, what: str, otherwise: str) -> Rerun:
    """What the end of the run before says of the one that takes it up."""
    if before.get("state") == "waiting":
        return Rerun("resume", basis, f"{what} had stopped to wait", _both(run, before))
    if before.get("is_error") or (run.get("attempt") or 1) > 1:
        return Rerun("retry", basis, f"{what} had failed", _both(run, before))
    return Rerun("redelivery", basis, f"{what} {otherwise}", _both(run, before))


def _by_rhythm(run: Row, earlier: Sequence[Row]) -> Rerun | None:
    """Three and more runs at equal intervals were started by a clock, whoever forgot to say so."""
    starts = [s["start_time"] for s in (*earlier, run) if s["trace_id"] != run["trace_id"] or s is run]
    if len(starts) < _FEWEST_OF_SCHEDULE + 1:
        return None
    gaps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    if min(gaps) < _SHORTEST_INTERVAL or max(gaps) - min(gaps) > _SLACK * max(gaps):
        return None
    evidence = (*(_context(s) for s in earlier[-_FEWEST_OF_SCHEDULE:]), _itself(run))
    return Rerun("schedule", "inferred", f"{len(starts)} runs at equal intervals of {gaps[-1]}", evidence)


def _by_cause(run: Row, earlier: Sequence[Row]) -> Rerun | None:
    cause = run.get("cause_id") or ""
    same = [s for s in earlier if cause and s.get("cause_id") == cause]
    if same:
        before = same[-1]
        if before.get("is_error"):
            return Rerun("retry", "derived", "the same was asked for and had failed", _both(run, before))
        if (run.get("trigger") or "") == "user":
            return Rerun("human", "declared", "a person asked for the same again", _both(run, before))
        if run["start_time"] < (before.get("end_time") or before["start_time"]):
            return Rerun("redelivery", "derived", "it began while the run for the same request was at work", _both(run, before))
        return Rerun("upstream duplicate", "derived", "the same request came as a run of its own", _both(run, before))
    if all(_differ(run, s) for s in earlier):
        return Rerun("new request", "derived", "something else was asked for", _both(run, earlier[-1]))
    talk = [s for s in earlier if run.get("conversation_id") and s.get("conversation_id") == run["conversation_id"]]
    if talk:
        return Rerun("human", "inferred", "in the same conversation it was asked for in other words", _both(run, talk[-1]))
    return None


def _differ(run: Row, other: Row) -> bool:
    """Both causes are known and are not the same, and no conversation joins them."""
    mine, its = run.get("cause_id") or "", other.get("cause_id") or ""
    talk = run.get("conversation_id")
    joined = bool(talk) and talk == other.get("conversation_id") and run["trace_id"] != other["trace_id"]
    return bool(mine and its) and mine != its and not joined


def _context(row: Row) -> Evidence:
    return Evidence(row["trace_id"], row["span_id"], "context: earlier run", f"began {row['start_time']:%Y-%m-%d %H:%M:%S}")


def _itself(run: Row) -> Evidence:
    return Evidence(run["trace_id"], run["span_id"], "run again", f"began {run['start_time']:%Y-%m-%d %H:%M:%S}")


def _both(run: Row, before: Row) -> tuple[Evidence, ...]:
    return _context(before), _itself(run)
