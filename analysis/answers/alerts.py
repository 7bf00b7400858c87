"""Who is told of findings, how that goes, and what is silenced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts import silences as silences_
from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store
from actorscope.settings import AlertSettings

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_EVER = datetime(1971, 1, 1, tzinfo=UTC)


def overview(store: Store, settings: AlertSettings, now: datetime | None = None) -> dict[str, Any]:
    """Every target with how it fares, the groups that are told and not over, and the silences of now and of the last day."""
    at = now or datetime.now(UTC)
    health = {row["subscriber"]: row for row in outbox.health(store, at - _HOUR).iter_rows(named=True)}
    told = [(target, key, each) for (target, key), each in outbox.told(store, at).items() if not each.is_over]
    return {
        "at": at.isoformat(),
        "targets": [
            {
                "name": target.name,
                "kind": target.kind,
                "min_severity": target.min_severity,
                "transitions": list(target.transitions),
                "routes": sum(target.name in route.targets for route in settings.routes),
                **_fares(health.get(target.name)),
            }
            for target in settings.everybody
        ],
        "groups": [
            {
                "target": target, "key": key, "told": each.kind, "at": each.at.isoformat(), "severity": each.severity,
                "findings": sorted(id for id, severity in each.members.items() if severity != "resolved"),
            }
            for target, key, each in sorted(told, key=lambda row: (row[2].at, row[0]), reverse=True)
        ],
        "silences": silences(store, at),
        "pace": {
            key: getattr(settings, key)
            for key in ("urgent", "group_wait_seconds", "group_interval_seconds", "repeat_interval_seconds", "resolve_wait_seconds")
        },
    }  # fmt: skip


def silences(store: Store, now: datetime | None = None) -> list[dict[str, Any]]:
    """Silences that wait, hold, or ended within the last day."""
    at = now or datetime.now(UTC)
    return [silence.to_json(at) for silence in silences_.read(store, at - _DAY)]


def notifications(store: Store, state: str = "", target: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """What lies in the outbox, newest first; those of the state `dead` were given up."""
    return [plain(row) for row in outbox.notifications(store, state, target, limit)]


def deliveries(store: Store, limit: int = 100) -> list[dict[str, Any]]:
    """The latest attempts, newest first."""
    return [plain(row) for row in outbox.delivery_log(store, limit)]


def _fares(row: dict[str, Any] | None) -> dict[str, Any]:
    """`failing` while something waits that was tried in vain, or was given up within the hour; `idle` before the first row."""
    if row is None:
        return {"state": "idle", "pending": 0, "dead": 0, "failing_since": None, "delivered_at": None, "last_error": ""}
    failing, taken = (row[key] if row[key] > _EVER else None for key in ("failing_since", "delivered_at"))
    return {
        "state": "failing" if failing or row["dead_lately"] else "ok",
        "pending": row["pending"],
        "dead": row["dead"],
        "failing_since": failing.isoformat() if failing else None,
        "delivered_at": taken.isoformat() if taken else None,
        "last_error": row["last_error"],
    }
