"""Findings for people and programs: the list, one in full, and where it was seen."""

from __future__ import annotations

import json
from typing import Any

from actorscope.analysis import notes
from actorscope.analysis.extensions import every_detector
from actorscope.analysis.finding import SEVERITIES
from actorscope.analysis.system import FAILURE
from actorscope.analysis.watches import WATCHES
from actorscope.ingest.store.client import Store

MOST_OCCURRENCES = 1000


def list_findings(
    store: Store, detector: str = "", state: str = "", min_severity: str = "info", limit: int = 1000, offset: int = 0
) -> list[dict[str, Any]]:
    """Findings as the contract's JSON with the newest 1,000 occurrences each; the gravest and newest first."""
    severities = list(SEVERITIES[SEVERITIES.index(min_severity) :])
    rows = store.named("findings", detector=detector, state=state, severities=severities, limit=limit, offset=offset)
    found = [json.loads(body) for body in rows["body"]]
    return _with_occurrences(store, found)


def get_finding(store: Store, finding_id: str) -> dict[str, Any] | None:
    """One finding as the contract's JSON; None when there is none of that id."""
    rows = store.named("finding", id=finding_id)
    return _with_occurrences(store, [json.loads(rows["body"][0])])[0] if rows.height else None


def occurrences(store: Store, finding_id: str, limit: int = 1000, offset: int = 0) -> list[dict[str, Any]]:
    """Where a finding was seen, newest first, page by page."""
    rows = store.named("occurrences_of", ids=[finding_id], limit=limit, offset=offset)
    return [_place(row) for row in rows.iter_rows(named=True)]


def transitions(store: Store, finding_id: str) -> list[dict[str, Any]]:
    """What happened to a finding, oldest first."""
    rows = store.named("transitions_of", id=finding_id)
    return [{**row, "at": row["at"].isoformat()} for row in rows.iter_rows(named=True)]


def detail(store: Store, finding_id: str, shown: int = 100) -> dict[str, Any] | None:
    """A finding with its history and the explanation of its detector; `shown` occurrences, the newest first."""
    rows = store.named("finding", id=finding_id)
    if not rows.height:
        return None
    found = json.loads(rows["body"][0])
    said = notes.of(store, found)
    return {
        **found,
        "notes": said,
        "assignee": notes.assignee(said),
        "occurrences": occurrences(store, finding_id, shown),
        "transitions": transitions(store, finding_id),
        "explanation": explanation(found["detector"]),
        "grouped": grouped(store, finding_id),
        "deliveries": [{**row, "at": row["at"].isoformat()} for row in store.named("told_of", id=finding_id).iter_rows(named=True)],
    }


def grouped(store: Store, finding_id: str) -> list[dict[str, Any]]:
    """The findings that follow from this one, the gravest first: id, title, severity and state of each."""
    bodies = [json.loads(body) for body in store.named("grouped_findings", id=finding_id)["body"]]
    return [{key: body[key] for key in ("id", "detector", "title", "severity", "state")} for body in bodies]


def explanation(detector: str) -> str:
    """What a detector says of itself: what it finds, cannot know, and takes wrongly for one."""
    return next((each.explanation or "" for each in (*every_detector(), *WATCHES, FAILURE) if each.id == detector), "")


def _with_occurrences(store: Store, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(found), 500):
        ids = [finding["id"] for finding in found[start : start + 500]]
        rows = store.named("occurrences_of", ids=ids, limit=MOST_OCCURRENCES, offset=0)
        for row in rows.iter_rows(named=True):
            places.setdefault(row["finding_id"], []).append(_place(row))
    return [{**finding, "occurrences": places.get(finding["id"], [])} for finding in found]


def _place(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "at": row["at"].isoformat(),
        "severity": row["severity"],
    }
