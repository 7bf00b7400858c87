"""One actor over time: as whom it worked, what it used and since when, what that cost, and what started it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store

_BACK = timedelta(days=90)


def actor(store: Store, actor_id: str, since: datetime | None = None, now: datetime | None = None) -> dict[str, Any]:
    """What an actor did in the last 90 days (longer with an earlier `since`), `is_new` where it was first seen since `since` and the actor
    was known before."""
    start = (now or datetime.now(UTC)) - _BACK
    given: dict[str, Any] = {"actor": actor_id, "from": min(start, since) if since else start}
    told = {
        name: [plain(row) for row in store.named(query, **given).iter_rows(named=True)]
        for name, query in (
            ("identities", "actor_identities"), ("scopes", "actor_scopes"), ("runs", "actor_runs"), ("spend", "actor_spend"),
        )
    }  # fmt: skip
    mark = plain(since) if since else ""
    everything = [*told["identities"], *told["scopes"]]
    # All that a new actor does is new: that says nothing.
    is_old = bool(mark) and any(row["first_seen"] < mark for row in everything)
    for row in everything:
        row["is_new"] = is_old and row["first_seen"] >= mark
    pairs = store.named("delegation_pairs", **{"from": given["from"]}).to_dicts()
    return {
        "actor_id": actor_id,
        **told,
        "delegates": [_pair(p, "delegate") for p in pairs if p["delegator_id"] == actor_id],
        "delegators": [_pair(p, "delegator") for p in pairs if p["delegate_id"] == actor_id],
    }


def _pair(pair: dict[str, Any], end: str) -> dict[str, Any]:
    told = {"id": pair[f"{end}_id"], "name": pair[f"{end}_name"]}
    return {**told, "delegations": pair["delegations"], "last_seen": plain(pair["last_seen"]), "bases": pair["bases"]}
