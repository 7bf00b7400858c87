"""What lies around a run: span links both ways, delegations from and into other traces, its conversation, its siblings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from actorscope.analysis.answers.console import plain
from actorscope.analysis.answers.run import Run
from actorscope.ingest.store.client import Store

_MOST = 200
_MOST_RUNS = 5000


def of(store: Store, run: Run) -> dict[str, Any]:
    """`around` a run, with its `siblings`."""
    runs = run.spans.filter(pl.col("role") == "run")
    top = runs.head(1).to_dicts()
    trace = run.told["trace_id"]
    found = around(store, trace, runs["span_id"].to_list(), run.told["summary"]["conversations"])
    return {**found, "siblings": siblings(store, trace, top[0]["actor_id"], top[0]["task_kind"]) if top else []}


def around(store: Store, trace_id: str, runs: Sequence[str], conversations: Sequence[str]) -> dict[str, Any]:
    """`links` and `joins` of a trace, at most 200 each, and the latest runs of its conversations in other traces.

    `runs` are the span ids of the trace's runs. A link or join with `is_out` leads away from this trace.
    """
    links = _rows(store, "run_links", trace=trace_id, limit=_MOST + 1)
    for link in links:
        link["is_out"] = link["from_trace_id"] == trace_id
    joins = _rows(store, "run_joins", trace=trace_id, runs=list(runs[:_MOST_RUNS]), limit=_MOST + 1)
    for join in joins:
        join["is_out"] = join["trace_id"] == trace_id
    return {
        "links": links[:_MOST],
        "joins": joins[:_MOST],
        "conversation": [
            {**run, "conversation_id": conversation}
            for conversation in conversations[:3]
            for run in _rows(store, "conversation_runs", conversation=conversation, limit=50)
            if run["trace_id"] != trace_id
        ],
        "is_cut": len(links) > _MOST or len(joins) > _MOST,
    }


def siblings(store: Store, trace_id: str, actor_id: str, task_kind: str, limit: int = 20) -> list[dict[str, Any]]:
    """The latest runs of an actor at the same kind of task, one for each other trace."""
    return _rows(store, "siblings", trace=trace_id, actor=actor_id, task=task_kind, limit=limit) if actor_id else []


def _rows(store: Store, name: str, **parameters: Any) -> list[dict[str, Any]]:
    return [plain(row) for row in store.named(name, **parameters).iter_rows(named=True)]
