"""What is to be told and what has been: one row per transition and subscriber, in the same store as the findings.

Each change of a row is a new version; the highest is its state. Nothing here sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from actorscope.analysis.alerts.event import KINDS, notification
from actorscope.analysis.alerts.verdict import Verdict
from actorscope.analysis.finding import SEVERITIES
from actorscope.ingest.store.client import Store
from actorscope.settings import WebhookSettings

_TIME = pl.Datetime("ms", "UTC")
_ROWS: dict[str, Any] = {
    **dict.fromkeys(("id", "subscriber", "kind", "finding_id", "body", "state"), pl.String),
    "attempts": pl.UInt32,
    **dict.fromkeys(("next_attempt_at", "created_at", "updated_at"), _TIME),
    **{"last_status": pl.Int32, "last_error": pl.String, "version": pl.UInt64},
}
_DELIVERIES: dict[str, Any] = {
    **{"id": pl.String, "subscriber": pl.String, "attempt": pl.UInt32, "at": _TIME},
    **{"status": pl.Int32, "latency_ms": pl.UInt32, "error": pl.String},
}


@dataclass(frozen=True)
class Row:
    """A notification for one subscriber; `state` is `pending`, `delivered` or `dead`."""

    id: str
    subscriber: str
    kind: str
    finding_id: str
    body: str
    state: str
    attempts: int
    next_attempt_at: datetime
    created_at: datetime
    updated_at: datetime
    last_status: int
    last_error: str
    version: int


@dataclass(frozen=True)
class Attempt:
    """What came of sending once. Status 0 is no answer; `is_refused` means that the address may not be used."""

    at: datetime
    status: int
    latency_ms: int
    error: str = ""
    retry_after: str = ""
    is_refused: bool = False


def enqueue(
    store: Store, subscribers: Sequence[WebhookSettings], transitions: Iterable[dict[str, Any]], public_url: str
) -> int:
    """Write a row for each transition and each subscriber whose `min_severity` it reaches; returns how many.

    Of what is muted nothing is told, but that it is over where its beginning had been told before.

    Doing it again changes nothing: a row enters as version 0, and any attempt since has written a higher one.
    """
    rows = []
    for transition in transitions:
        if _is_muted(transition):
            continue
        heard = [s.name for s in subscribers if _reaches(transition["severity"], s.min_severity)]
        if transition["kind"] in KINDS and heard:
            body = notification(transition, public_url)
            rows += [_first(transition, name, body) for name in heard]
    _write(store, rows)
    return len(rows)


def waiting(store: Store, subscriber: str, limit: int) -> list[Row]:
    """The pending rows of a subscriber, the next due first."""
    frame = store.named("outbox_waiting", subscriber=subscriber, limit=limit)
    return [Row(**row) for row in frame.iter_rows(named=True)]


def record(store: Store, row: Row, attempt: Attempt, verdict: Verdict) -> Row:
    """Write the state after an attempt and append it to the delivery log; returns the new row."""
    after = replace(
        row,
        state=verdict.state,
        attempts=row.attempts + 1,
        next_attempt_at=verdict.next_attempt_at,
        updated_at=attempt.at,
        last_status=attempt.status,
        last_error=attempt.error,
        version=row.version + 1,
    )
    # The state first: a log line without it would have the notification sent once more.
    _write(store, [after])
    line = {"id": row.id, "subscriber": row.subscriber, "attempt": after.attempts, **asdict(attempt)}
    store.insert_frame("deliveries", pl.DataFrame([{key: line[key] for key in _DELIVERIES}], schema=_DELIVERIES))
    return after


def redeliver(store: Store, id: str, now: datetime, subscriber: str = "") -> int:
    """Make the rows of a transition due again with a fresh count of attempts; returns how many there are."""
    rows = [Row(**row) for row in store.named("outbox_rows", id=id, subscriber=subscriber).iter_rows(named=True)]
    _write(
        store,
        [
            replace(row, state="pending", attempts=0, next_attempt_at=now, updated_at=now, version=row.version + 1)
            for row in rows
        ],
    )
    return len(rows)


def delivery_log(store: Store, limit: int = 100) -> list[dict[str, Any]]:
    """The latest attempts, newest first, each with the present state of its notification."""
    return store.named("outbox_deliveries", limit=limit).to_dicts()


def _is_muted(transition: dict[str, Any]) -> bool:
    finding = transition["finding"]
    mark = finding.get("mark") or {}
    if mark.get("state") != "muted":
        return False
    if finding["state"] == "resolved":
        began = [finding["opened_at"], *finding.get("reopened", [])][-1]
        return datetime.fromisoformat(began) >= datetime.fromisoformat(mark["at"])
    return bool(finding["state"] == "muted")


def _reaches(severity: str, least: str) -> bool:
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


def _first(transition: dict[str, Any], subscriber: str, body: str) -> Row:
    at = transition["at"]
    ids = (transition["id"], subscriber, transition["kind"], transition["finding_id"])
    return Row(*ids, body, "pending", 0, at, at, at, 0, "", 0)


def _write(store: Store, rows: list[Row]) -> None:
    store.insert_frame("outbox", pl.DataFrame([asdict(row) for row in rows], schema=_ROWS))
