"""What lies around a run: span links both ways, delegations from and into other traces, its conversation, its siblings."""

from __future__ import annotations

from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store

_MOST = 200
_MOST_RUNS = 5000


def around(store: Store, trace_id: str, runs: list[str], conversations: list[str]) -> dict[str, Any]:
    """`links` and `joins` of a trace, at most 200 each, and the latest runs of its conversations in other traces.

    `runs` are the span ids of the trace's runs. A link or join with `is_out` leads away from this trace.
    """
    links = _rows(store, "run_links", trace=trace_id, limit=_MOST + 1)
    for link in links:
        link["is_out"] = link["from_trace_id"] == trace_id
    joins = _rows(store, "run_joins", trace=trace_id, runs=runs[:_MOST_RUNS], limit=_MOST + 1)
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
    return [{key: plain(value) for key, value in row.items()} for row in store.named(name, **parameters).iter_rows(named=True)]
