"""The fleet: every actor with what it did, as whom, at what cost, and what is open against it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.analysis.finding import SEVERITIES
from actorscope.ingest.store.client import Store

_EVER = datetime(1970, 1, 2, tzinfo=UTC)


def fleet(store: Store, since: datetime | None = None, limit: int = 1000) -> dict[str, Any]:
    """Actors that did something from `since` (event time) on, those with the gravest findings first.

    `newest_at` is the moment of the newest known span, so that an empty answer can say where the data is.
    """
    bounds: dict[str, Any] = {"from": since or _EVER}
    rows = store.named("fleet", **bounds, limit=limit + 1)
    passed = {row["actor_id"]: row for row in store.named("fleet_delegations", **bounds).iter_rows(named=True)}
    found = {row["actor_id"]: row for row in store.named("fleet_findings").iter_rows(named=True)}
    newest = store.named("newest_fact").row(0, named=True)
    actors = [_actor(row, passed, found) for row in rows.head(limit).iter_rows(named=True)]
    return {
        "actors": sorted(actors, key=_gravest_first),
        "is_cut": rows.height > limit,
        "newest_at": plain(newest["at"]) if newest["spans"] else None,
    }


def _gravest_first(actor: dict[str, Any]) -> tuple[int, int, str, str]:
    """An order that new traffic alone does not change, so that rows stay where people look at them."""
    grave = SEVERITIES.index(actor["worst_severity"]) if actor["worst_severity"] in SEVERITIES else -1
    return -grave, -actor["open_findings"], actor["actor_name"], actor["actor_id"]


def _actor(row: dict[str, Any], passed: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    edges, open_ = passed.get(row["actor_id"], {}), found.get(row["actor_id"], {})
    lists = {key: sorted(row[key]) for key in ("principals", "credentials", "dialects", "services")}
    return {
        **plain(row),
        **lists,
        "delegations_in": edges.get("delegations_in", 0),
        "delegations_out": edges.get("delegations_out", 0),
        "open_findings": open_.get("open_findings", 0),
        "worst_severity": open_.get("worst", ""),
    }
