"""What is to be told and what has been: one row per notification and target, in the same store as the findings.

Each change of a row is a new version; the highest is its state. Nothing here sends.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from actorscope.analysis.alerts.plan import Told
from actorscope.analysis.alerts.verdict import Verdict
from actorscope.ingest.store.client import Store

_REMEMBERED = timedelta(days=2)
_TIME = pl.Datetime("ms", "UTC")
_ROWS: dict[str, Any] = {
    **dict.fromkeys(("id", "subscriber", "kind", "finding_id", "group_key", "body", "told", "state"), pl.String),
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
    """A notification for one target; `state` is `pending`, `delivered`, `dead`, or `unwanted` where the target does not hear
    of this kind. `told` is what the target knows once it has it (see `plan.Told`).
    """

    id: str
    subscriber: str
    kind: str
    finding_id: str
    group_key: str
    body: str
    told: str
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


STATES = ("pending", "delivered", "dead", "unwanted")
Group = tuple[str, str]
"""Target and key of a group."""


def told(store: Store, now: datetime) -> dict[Group, Told]:
    """What each target knows of each group that is not over, or not for long."""
    rows = store.named("outbox_told", **{"from": now - _REMEMBERED}).iter_rows()
    return {(target, key): Told.from_json(json.loads(text)) for target, key, text in rows}


def first(target: str, id: str, kind: str, finding_id: str, group_key: str, body: str, after: Told, is_wanted: bool) -> Row:
    """A row as it enters the outbox: version 0, so that writing it again changes nothing once it was tried."""
    state, at = "pending" if is_wanted else "unwanted", after.at
    return Row(id, target, kind, finding_id, group_key, body, json.dumps(after.to_json()), state, 0, at, at, at, 0, "", 0)


def write(store: Store, rows: list[Row]) -> None:
    """Append rows, all at once or none."""
    store.insert_frame("outbox", pl.DataFrame([asdict(row) for row in rows], schema=_ROWS))


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
    write(store, [after])
    line = {"id": row.id, "subscriber": row.subscriber, "attempt": after.attempts, **asdict(attempt)}
    store.insert_frame("deliveries", pl.DataFrame([{key: line[key] for key in _DELIVERIES}], schema=_DELIVERIES))
    return after


def redeliver(store: Store, id: str, now: datetime, subscriber: str = "") -> int:
    """Make the rows of a notification due again with a fresh count of attempts; returns how many there are."""
    rows = [Row(**row) for row in store.named("outbox_rows", id=id, subscriber=subscriber).iter_rows(named=True)]
    write(
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


def notifications(store: Store, state: str = "", subscriber: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Notifications without their bodies, newest first; `dead` are those that were given up."""
    return store.named("outbox_list", state=state, subscriber=subscriber, limit=limit).to_dicts()


def health(store: Store, since: datetime) -> pl.DataFrame:
    """A row per target: what waits, since when it fails, what was given up (`dead_lately` since a moment), when it last took something."""
    return store.named("outbox_health", **{"from": since})
