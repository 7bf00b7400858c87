"""One trace: its spans as a tree, who delegated to whom, what it cost, what was found in it; and one span in full."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.analysis.answers import tree
from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store

MOST_SPANS = 20_000
_EVER = datetime(1970, 1, 2, tzinfo=UTC)
_TIME = "%Y-%m-%dT%H:%M:%S%.6f+00:00"
Marks = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Run:
    """A trace in columns: `told` is JSON, `spans` the rows in the order of the tree, `path` its critical path by row.

    `marks` holds the findings per span that they cite, `version` changes when anything of the trace does.
    """

    told: dict[str, Any]
    spans: pl.DataFrame
    marks: Marks
    path: list[tree.Piece]
    version: str


def run(store: Store, trace_id: str, limit: int = MOST_SPANS) -> dict[str, Any] | None:
    """`whole` as JSON, the spans as objects; None when no span of the trace is stored."""
    found = whole(store, trace_id, limit)
    return None if found is None else {**found.told, "spans": as_objects(found)}


def whole(store: Store, trace_id: str, limit: int = MOST_SPANS) -> Run | None:
    """Summary, delegations, findings and the first `limit` spans of a trace, in the order of the tree.

    None when no span of it is stored, ended or begun. `spans_matched` says how many there are.
    """
    now = version(store, trace_id)
    totals = store.named("run_totals", trace=trace_id).row(0, named=True)
    spans = _spans(store, trace_id, limit)
    if spans.is_empty():
        return None
    begun = spans["is_open"].sum()
    found = [json.loads(body) for body in store.named("run_findings", trace=trace_id)["body"]]
    facts = store.named("run_facts", trace=trace_id).row(0, named=True)
    path = tree.critical_path(spans["offset_ms"].to_list(), spans["ends_ms"].to_list(), spans["parent"].to_list())
    told = {
        "trace_id": trace_id,
        "summary": _summary(totals, facts, spans),
        "spans_shown": spans.height,
        "spans_matched": totals["spans"] + begun,
        "spans_open": begun,
        "rows_scanned": totals["rows"],
        "delegations": [_plain(row) for row in store.named("run_edges", trace=trace_id).iter_rows(named=True)],
        "findings": [_brief(finding, trace_id) for finding in found],
        "approvals": _approvals(store, trace_id, spans),
        "time_went_to": tree.time_went_to(spans, path),
    }
    return Run(told, spans, _marks(found, trace_id), path, now)


def version(store: Store, trace_id: str) -> str:
    """Another text whenever something of the trace has changed."""
    return " ".join(str(value) for value in store.named("run_version", trace=trace_id).row(0))


def as_objects(found: Run) -> list[dict[str, Any]]:
    """The spans as JSON objects, each with the findings that cite it."""
    times = [name for name, kind in found.spans.schema.items() if isinstance(kind, pl.Datetime)]
    spans = found.spans.drop("trace_id", "parent", "ends_ms").with_columns(pl.col(times).dt.strftime(_TIME))
    objects = spans.to_dicts()
    for one in objects:
        one["findings"] = found.marks.get(one["span_id"], [])
    return objects


def search(store: Store, trace_id: str, text: str, limit: int = 2000) -> dict[str, Any]:
    """The spans of a trace that carry a text in what `whole` leaves out: attributes, events, status."""
    rows = store.named("run_search", trace=trace_id, text=text, limit=limit + 1) if text.strip() else pl.DataFrame()
    ids = rows["span_id"].to_list() if rows.width else []
    return {"text": text, "spans": ids[:limit], "is_cut": len(ids) > limit}


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


def _spans(store: Store, trace_id: str, limit: int) -> pl.DataFrame:
    """Ended and open spans of a trace, as a tree. An open one lasts as long as anything of its trace."""
    ended = store.named("run_spans", trace=trace_id, limit=limit)
    begun = store.named("run_starts", trace=trace_id, limit=limit).join(ended, on="span_id", how="anti")
    spans = pl.concat(
        [
            ended.with_columns(pl.lit(False).alias("is_open")),
            begun.with_columns(pl.lit(True).alias("is_open"), pl.lit(trace_id).alias("trace_id")),
        ],
        how="diagonal_relaxed",
    ).sort("start_time", "span_id")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    spans = spans.with_columns(pl.col(pl.String).fill_null(""), pl.col("scopes").fill_null(nothing), pl.col("links").fill_null(0))
    start, last = pl.col("start_time").min(), pl.max_horizontal(pl.col("end_time").max(), pl.col("heard_at").max())
    spans = spans.with_columns(
        _between(start, pl.col("start_time")).alias("offset_ms"),
        _between(pl.col("start_time"), pl.col("end_time")).alias("duration_ms"),
        _between(start, pl.max_horizontal("start_time", pl.when("is_open").then(last).otherwise("end_time"))).alias("ends_ms"),
        ((pl.col("status_code") == "error") | (pl.col("error_type") != "")).alias("is_error"),
    )
    return tree.ordered(spans) if spans.height else spans


def _between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    return ((end - start).dt.total_nanoseconds() / 1e6).clip(lower_bound=0.0)


def _approvals(store: Store, trace_id: str, spans: pl.DataFrame) -> list[dict[str, Any]]:
    """Requests and answers in the order of time; an action that repeats the logged answer is where it was used."""
    rows = store.named("run_approvals", trace=trace_id)
    rows = rows.with_columns(_between(pl.lit(spans["start_time"].min()), pl.col("at")).alias("offset_ms"))
    told = [_plain(row) for row in rows.iter_rows(named=True)]
    logged = {(each["approval_id"], each["state"]) for each in told if each["is_log"]}
    for each in told:
        if not each.pop("is_log") and (each["approval_id"], each["state"]) in logged:
            each["state"] = "used"
    return told


def _marks(found: list[dict[str, Any]], trace_id: str) -> Marks:
    """The findings per span of this trace that cite it as evidence."""
    marks: Marks = {}
    for finding in found:
        for cited in finding["evidence"]:
            if cited["trace_id"] == trace_id:
                mark = {"finding_id": finding["id"], "severity": finding["severity"], "role": cited["role"]}
                marks.setdefault(cited["span_id"], []).append(mark)
    return marks


def _summary(totals: dict[str, Any], facts: dict[str, Any], spans: pl.DataFrame) -> dict[str, Any]:
    start = spans["start_time"].min()
    return {
        **_plain({**totals, "start_time": start}),
        "duration_ms": float(spans["ends_ms"].max() or 0.0),  # type: ignore[arg-type]
        **_plain({**facts, "actors": sorted(facts["actors"])}),
        "is_analysed": bool(facts["runs"] or facts["model_calls"] or facts["actions"]),
    }


def _brief(finding: dict[str, Any], trace_id: str) -> dict[str, Any]:
    kept = ("id", "severity", "title", "state", "family", "subject", "basis")
    cited = [each for each in finding["evidence"] if each["trace_id"] == trace_id]
    return {**{key: finding[key] for key in kept}, "evidence": cited}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = plain(row)
    return told


def _map(pairs: Any) -> dict[str, str]:
    """A ClickHouse map comes out of Arrow as pairs."""
    if isinstance(pairs, dict):
        return {str(key): str(value) for key, value in pairs.items()}
    return {str(p["key"]): str(p["value"]) if isinstance(p, dict) else str(p) for p in pairs or []}


def _milliseconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds() * 1000)
