"""One trace: its spans as a tree, who delegated to whom, what it cost, what was found in it; and one span in full."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store

MOST_SPANS = 5000
_EVER = datetime(1970, 1, 2, tzinfo=UTC)


def run(store: Store, trace_id: str, limit: int = MOST_SPANS) -> dict[str, Any] | None:
    """Summary, delegations, findings and the first `limit` spans of a trace, in the order of the tree.

    None when no span of it is stored. `spans_matched` says how many there are.
    """
    totals = store.named("run_totals", trace=trace_id).row(0, named=True)
    if not totals["spans"]:
        return None
    found = [json.loads(body) for body in store.named("run_findings", trace=trace_id)["body"]]
    spans = _tree(_spans(store, trace_id, limit), _marks(found, trace_id))
    facts = store.named("run_facts", trace=trace_id).row(0, named=True)
    edges = store.named("run_edges", trace=trace_id)
    return {
        "trace_id": trace_id,
        "summary": _summary(totals, facts),
        "spans": spans,
        "spans_shown": len(spans),
        "spans_matched": totals["spans"],
        "delegations": [_plain(row) for row in edges.iter_rows(named=True)],
        "findings": [_brief(finding, trace_id) for finding in found],
    }


def span(store: Store, trace_id: str, span_id: str) -> dict[str, Any] | None:
    """Everything that is known of one span; None when it is not stored."""
    rows = store.named("run_span", trace=trace_id, span=span_id)
    if not rows.height:
        return None
    row = {**rows.row(0, named=True)}
    row["attempt"] = row["attempt"] if row["role"] else None  # a span without facts has none, not the zeroth
    events = zip(row.pop("event_times"), row.pop("event_names"), row.pop("event_attributes"), strict=True)
    links = zip(row.pop("link_trace_ids"), row.pop("link_span_ids"), row.pop("link_attributes"), strict=True)
    maps = {key: _map(row.pop(key)) for key in ("attributes", "resource_attributes")}
    return {
        **_plain(row),
        **maps,
        "duration_ms": _milliseconds(row["start_time"], row["end_time"]),
        "events": [{"at": plain(at), "name": name, "attributes": _map(more)} for at, name, more in events],
        "links": [{"trace_id": trace, "span_id": at, "attributes": _map(more)} for trace, at, more in links],
    }


def trace_of(store: Store, span_id: str) -> str | None:
    """The trace that a span belongs to."""
    rows = store.named("span_trace", span=span_id)
    return str(rows["trace_id"][0]) if rows.height else None


def latest_runs(
    store: Store, actor_id: str = "", since: datetime | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The latest runs of an actor; without one, the latest runs that nobody delegated."""
    rows = store.named("latest_runs", **{"actor": actor_id, "from": since or _EVER, "limit": limit})
    return [
        {**_plain(row), "duration_ms": _milliseconds(row["start_time"], row["end_time"])}
        for row in rows.iter_rows(named=True)
    ]


def _spans(store: Store, trace_id: str, limit: int) -> list[dict[str, Any]]:
    return store.named("run_spans", trace=trace_id, limit=limit).to_dicts()


def _marks(found: list[dict[str, Any]], trace_id: str) -> dict[str, list[dict[str, str]]]:
    """The findings per span of this trace that cite it as evidence."""
    marks: dict[str, list[dict[str, str]]] = {}
    for finding in found:
        for cited in finding["evidence"]:
            if cited["trace_id"] == trace_id:
                mark = {"finding_id": finding["id"], "severity": finding["severity"], "role": cited["role"]}
                marks.setdefault(cited["span_id"], []).append(mark)
    return marks


def _tree(spans: list[dict[str, Any]], marks: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """The spans depth first, each with its depth; one whose parent is missing stands at the top, as does a loop."""
    known = {one["span_id"] for one in spans}
    below: dict[str, list[dict[str, Any]]] = {}
    for one in spans:
        parent = one["parent_span_id"] if one["parent_span_id"] in known else ""
        below.setdefault("" if parent == one["span_id"] else parent, []).append(one)
    start = min((one["start_time"] for one in spans), default=None)
    ordered: list[dict[str, Any]] = []
    placed: set[str] = set()
    # A loop of parents has no top; its earliest span becomes one, so that nothing is left out.
    for top in [*below.get("", []), *spans]:
        stack = [(top, 0)]
        while stack:
            one, depth = stack.pop()
            if one["span_id"] in placed:
                continue
            placed.add(one["span_id"])
            ordered.append(_step(one, depth, start, marks))
            stack += [(child, depth + 1) for child in reversed(below.get(one["span_id"], []))]
    return ordered


def _step(one: dict[str, Any], depth: int, start: Any, marks: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    return {
        **_plain(one),
        "depth": depth,
        "offset_ms": _milliseconds(start, one["start_time"]),
        "duration_ms": _milliseconds(one["start_time"], one["end_time"]),
        "is_error": one["status_code"] == "error" or bool(one["error_type"]),
        "findings": marks.get(one["span_id"], []),
    }


def _summary(totals: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    return {
        **_plain({key: value for key, value in totals.items()}),
        "duration_ms": _milliseconds(totals["start_time"], totals["end_time"]),
        **_plain({**facts, "actors": sorted(facts["actors"])}),
        "is_analysed": bool(facts["runs"] or facts["model_calls"] or facts["actions"]),
    }


def _brief(finding: dict[str, Any], trace_id: str) -> dict[str, Any]:
    kept = ("id", "severity", "title", "state", "family", "subject", "basis")
    cited = [each for each in finding["evidence"] if each["trace_id"] == trace_id]
    return {**{key: finding[key] for key in kept}, "evidence": cited}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in row.items()}


def _map(pairs: Any) -> dict[str, str]:
    """A ClickHouse map comes out of Arrow as pairs."""
    if isinstance(pairs, dict):
        return {str(key): str(value) for key, value in pairs.items()}
    return {str(p["key"]): str(p["value"]) if isinstance(p, dict) else str(p) for p in pairs or []}


def _milliseconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds() * 1000)
