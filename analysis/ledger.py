"""Findings in the store: read as values, written so that a pass cut short can simply be repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import polars as pl

from actorscope.analysis.finding import Finding
from actorscope.analysis.findings import Change, Known, transition
from actorscope.ingest.store.client import Store

_TIMES = ("opened_at", "updated_at", "first_evidence_at", "last_evidence_at")
_UTC = pl.Datetime("ns", "UTC")
_PLACE: Any = {"finding_id": pl.String, "trace_id": pl.String, "span_id": pl.String, "at": _UTC, "severity": pl.String}
_MOST_PLACES = 1000
"""Places of one finding that are judged again because of what came late: the latest."""
_EXTENT: Any = {"finding_id": pl.String, "first": _UTC, "last": _UTC, "trace_id": pl.String, "start_time": _UTC}


def from_json(body: dict[str, Any]) -> Finding:
    """A finding from its JSON."""
    known = {f.name for f in fields(Finding)}
    values = {k: v for k, v in body.items() if k in known}
    return Finding(**{**values, **{k: datetime.fromisoformat(values[k]) for k in _TIMES}})


def open_findings(store: Store) -> dict[tuple[str, str], Finding]:
    """Findings that are not resolved, by detector and fingerprint."""
    found = [from_json(json.loads(body)) for body in store.named("open_findings")["body"]]
    return {(finding.detector, finding.fingerprint): finding for finding in found}


def places(store: Store, traces: list[str]) -> dict[str, dict[tuple[str, str], str]]:
    """By finding, where it was seen in these traces and how grave it was there."""
    result: dict[str, dict[tuple[str, str], str]] = {}
    for start in range(0, len(traces), 5000):
        rows = store.named("occurrences_in", traces=traces[start : start + 5000])
        for finding_id, trace_id, span_id, severity in rows.iter_rows():
            result.setdefault(finding_id, {})[(trace_id, span_id)] = severity
    return result


def known(
    detector: str, opened: dict[tuple[str, str], Finding], seen: dict[str, dict[tuple[str, str], str]]
) -> dict[str, Known]:
    """The open findings of a detector by fingerprint."""
    return {print_: Known(f, dict(seen.get(f.id, {}))) for (d, print_), f in opened.items() if d == detector}


def past(
    store: Store, fingerprints: Iterable[str], seen: dict[str, dict[tuple[str, str], str]]
) -> dict[str, Known]:
    """The latest resolved finding of each fingerprint, with its places among those seen."""
    asked = sorted(set(fingerprints))
    bodies = store.named("past_findings", fingerprints=asked)["body"].to_list() if asked else []
    found = [from_json(json.loads(body)) for body in bodies]
    return {f.fingerprint: Known(f, dict(seen.get(f.id, {}))) for f in found if f.state == "resolved"}


def seen_since(store: Store, findings: Iterable[Finding], revised: pl.DataFrame) -> pl.DataFrame:
    """Where those of these findings were seen (`trace_id`, `start_time`) whose `subject_id` is in `revised`, after its `since`."""
    subjects = set(revised["subject_id"])
    about = {f.id: f.subject["id"] for f in findings if f.subject["id"] in subjects}
    places = store.named("occurrences_of", ids=sorted(about), offset=0, limit=_MOST_PLACES) if about else pl.DataFrame(schema=_PLACE)
    places = places.cast(_PLACE).with_columns(pl.col("finding_id").replace_strict(about, default="").alias("subject_id"))
    later = places.join(revised, on="subject_id").filter(pl.col("at") > pl.col("since"))
    return later.select("trace_id", start_time="at").unique("trace_id")


def settle(store: Store, changes: list[Change]) -> pl.DataFrame:
    """Correct the times of findings that lost a place, and return where those must be judged again (`trace_id`, `start_time`)
    that the place lost spoke for: where they are gravest now. After `save`.
    """
    lost = {c.finding.id: c for c in changes if c.finding.count > 0 and (c.retracted or c.is_milder)}
    extents = store.named("extents", ids=sorted(lost)) if lost else pl.DataFrame(schema=_EXTENT)
    for id_, first, last, *_ in extents.iter_rows():
        lost[id_].finding = replace(lost[id_].finding, first_evidence_at=first, last_evidence_at=last)
    milder = [id_ for id_, change in lost.items() if change.is_milder]
    return extents.cast(_EXTENT).filter(pl.col("finding_id").is_in(milder), pl.col("trace_id") != "").select("trace_id", "start_time")


def save(store: Store, changes: list[Change], version: int) -> list[dict[str, Any]]:
    """Write what a pass changed and return the transitions.

    Findings are written last: a pass that was cut before finds them unchanged and says everything again, with equal ids.
    """
    told = [transition(change) for change in changes if change.kind != "updated"]
    plain = [{**{k: v for k, v in t.items() if k != "finding"}, "body": json.dumps(t["finding"])} for t in told]
    _insert(store, "transitions", plain)
    marks = [_mark(c, place, at, severity, version) for c in changes for place, (at, severity) in c.seen.items()] + [
        _mark(c, place, c.finding.updated_at, "", version) for c in changes for place in c.retracted
    ]
    _insert(store, "occurrences", marks)
    return told


def _mark(change: Change, place: tuple[str, str], at: datetime, severity: str, version: int) -> dict[str, Any]:
    """An occurrence; without a severity it is taken back."""
    return {
        "finding_id": change.finding.id,
        "trace_id": place[0],
        "span_id": place[1],
        "at": at,
        "severity": severity,
        "is_retracted": not severity,
        "version": version,
    }


def save_findings(store: Store, changes: list[Change], version: int) -> None:
    """Write the present state of changed findings."""
    _insert(store, "finding_rows", [_row(change.finding, version) for change in changes])


def _row(finding: Finding, version: int) -> dict[str, Any]:
    body = finding.to_json()
    plain = {key: getattr(finding, key) for key in (
        "id", "fingerprint", "detector", "family", "rule", "severity", "state", "title", "confidence", "count", *_TIMES,
    )}  # fmt: skip
    cost = finding.impact.get("cost_usd")
    return {
        **plain,
        "subject_id": finding.subject["id"],
        "subject_name": finding.subject["name"],
        "cost_usd": float(cost) if cost is not None else None,
        "body": json.dumps(body),
        "version": version,
    }


def _insert(store: Store, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    frame = pl.DataFrame(rows, infer_schema_length=None)
    whole = [c for c in ("version", "count") if c in frame.columns]
    if "cost_usd" in frame.columns:
        frame = frame.with_columns(pl.col("cost_usd").cast(pl.Float64))
    store.insert_frame(table, frame.with_columns(pl.col(pl.Datetime).cast(_UTC), pl.col(whole).cast(pl.UInt64)))
