"""Why something ran again: a run among its siblings, the class of the cause with its evidence, and what it did a second time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.analysis.reruns import rerun
from actorscope.ingest.store.client import Store

_BACK, _AHEAD = timedelta(days=30), timedelta(days=1)
MOST_SIBLINGS = 200


def why_again(store: Store, trace: str, span: str = "") -> dict[str, Any] | None:
    """The run that a span belongs to (without a span the topmost run of the trace) and why it happened; None when unknown.

    `siblings` are the runs of the agent from 30 days before to a day after with the same cause, kind of task, conversation
    or execution, the newest first, each with its own class; `effects` the writes of the run with the places where the same was
    written before (`before`) and after (`after`).
    """
    found = store.named("run_of_span", trace=trace, span=span)
    if found.is_empty():
        return None
    run = found.row(0, named=True)
    around: dict[str, Any] = {"from": run["start_time"] - _BACK, "to": run["start_time"] + _AHEAD}
    keys = {"actor": run["actor_id"], "cause": run["cause_id"], "conversation": run["conversation_id"], "task": run["task_kind"]}
    rows = store.named("runs_alike", **around, **keys, execution="", limit=MOST_SIBLINGS)
    siblings = rows.to_dicts()
    mine = next((s for s in siblings if (s["trace_id"], s["span_id"]) == (run["trace_id"], run["span_id"])), None)
    if mine is None:
        mine = {**run, "end_time": None}
        siblings.append(mine)
    if mine.get("execution_id"):
        same = store.named("runs_alike", **around, **{**keys, "task": "\x00"}, execution=mine["execution_id"], limit=MOST_SIBLINGS)
        known = {(s["trace_id"], s["span_id"]) for s in siblings}
        siblings += [s for s in same.to_dicts() if (s["trace_id"], s["span_id"]) not in known]
    alike = [s for s in siblings if _is_alike(s, mine)]
    return {
        "run": plain({**run, **mine}),
        "cause": _told(mine, alike),
        "siblings": [
            {**plain(s), "is_alike": s in alike, "cause": _told(s, alike)}
            for s in sorted(siblings, key=lambda s: s["start_time"], reverse=True)
        ],
        "is_cut": rows.height >= MOST_SIBLINGS,
        "effects": _effects(store, run),
    }


def _is_alike(sibling: dict[str, Any], run: dict[str, Any]) -> bool:
    """It may be the same work done again: the same cause, conversation or execution, or nothing on record to tell them apart."""
    for key in ("cause_id", "conversation_id", "execution_id"):
        if run.get(key) and run.get(key) == sibling.get(key):
            return True
    return not (run.get("cause_id") and sibling.get("cause_id"))


def _told(run: dict[str, Any], siblings: list[dict[str, Any]]) -> dict[str, Any]:
    found = rerun(run, siblings)
    return {"class": found.kind, "basis": found.basis, "why": found.why, "evidence": [asdict(each) for each in found.evidence]}


def _effects(store: Store, run: dict[str, Any]) -> list[dict[str, Any]]:
    writes = store.named("run_writes", trace=run["trace_id"], run=run["span_id"]).to_dicts()
    told = []
    for write in writes:
        places = [_place(each) for each in write.pop("places") or []]
        others = [p for p in places if (p["trace_id"], p["span_id"]) != (write["trace_id"], write["span_id"])]
        at = plain(write["start_time"])
        before, after = [p for p in others if p["at"] < at], [p for p in others if p["at"] >= at]
        told.append({**plain(write), "before": before[-20:], "after": after[:20]})
    return told


def _place(place: Any) -> dict[str, Any]:
    at, trace, span, actor = place.values() if isinstance(place, dict) else place
    return {"at": plain(at), "trace_id": trace, "span_id": span, "actor_name": actor}
