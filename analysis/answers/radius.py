"""The blast radius of an identity: what it can reach, through whom, and in which order to take it away."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store

_BACK = timedelta(days=30)
_DEEPEST = 8
_WRITES = ("write", "destructive")


def radius(store: Store, identity: str, since: datetime | None = None, now: datetime | None = None) -> dict[str, Any]:
    """What was done under an actor id, a principal, a credential or a delegation in the last 30 days, or since a moment.

    `below` are agents that it delegates to, with the number of steps between; `above` those that delegate to it and miss it when
    it is gone; `plan` the steps that take its authority away, in order, each with what else it breaks.
    """
    at = now or datetime.now(UTC)
    bounds: dict[str, Any] = {"from": since or at - _BACK, "id": identity}
    actors = _rows(store, "actors_of_identity", **bounds)
    reach = _rows(store, "reach_of_identity", **bounds)
    held = _rows(store, "grants_of_identity", **bounds)
    others = {}
    if held:
        ids = sorted({row["id"] for row in held})
        others = {row["id"]: row["actors"] for row in _rows(store, "holders", ids=ids, **{"from": bounds["from"]})}
    for row in held:
        row["actors"] = sorted(filter(None, others.get(row["id"], [])))
    pairs = store.named("delegation_pairs", **{"from": bounds["from"]}).to_dicts()
    own = {actor["actor_id"] for actor in actors} or {identity}
    below, above = _walk(pairs, own, "delegator", "delegate"), _walk(pairs, own, "delegate", "delegator")
    return {
        "identity": identity,
        "actors": actors,
        "reach": reach,
        "held": held,
        "below": below,
        "above": [each for each in above if each["steps"] == 1],
        "writes": sum(row["uses"] for row in reach if row["side_effect"] in _WRITES),
        "resources": len({row["target"] for row in reach if row["target"]}),
        "plan": _plan(identity, actors, held, below, above, at),
    }


def _rows(store: Store, query: str, **given: Any) -> list[dict[str, Any]]:
    return [plain(row) for row in store.named(query, **given).iter_rows(named=True)]


def _walk(pairs: list[dict[str, Any]], own: set[str], start: str, end: str) -> list[dict[str, Any]]:
    """Everybody who is reached from `own` along delegations, the nearest first."""
    out: dict[str, list[dict[str, Any]]] = {}
    for pair in pairs:
        out.setdefault(pair[f"{start}_id"], []).append(pair)
    found: dict[str, dict[str, Any]] = {}
    waiting = deque((actor, 0) for actor in sorted(own))
    while waiting:
        actor, steps = waiting.popleft()
        for pair in out.get(actor, []) if steps < _DEEPEST else []:
            there = pair[f"{end}_id"]
            if there in own or there in found:
                continue
            told = {"actor_id": there, "actor_name": pair[f"{end}_name"], "steps": steps + 1}
            found[there] = {**told, "delegations": pair["delegations"], "last_seen": plain(pair["last_seen"])}
            waiting.append((there, steps + 1))
    return sorted(found.values(), key=lambda each: (each["steps"], -each["delegations"], each["actor_id"]))


def _plan(
    identity: str, actors: list[dict[str, Any]], held: list[dict[str, Any]], below: list[dict[str, Any]], above: list[dict[str, Any]],
    now: datetime,
) -> list[dict[str, Any]]:
    """First what others could still use in its name, then what it was given, then who would give it anew."""
    mine = {actor["actor_name"] for actor in actors}
    plan = []
    living = [row for row in held if not _is_over(row["ends"], now)]
    for row in living:
        if row["kind"] == "credential":
            breaks = [name for name in row["actors"] if name not in mine]
            plan.append({"do": f"Revoke the credential {row['id']}", "why": f"used until {row['last_seen']}", "breaks": breaks})
    given: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
    for row in living:
        if row["kind"] == "delegation":
            given.setdefault((row["delegator_name"], tuple(sorted(row["scopes"]))), []).append(row)
    for (delegator, names), rows in given.items():
        # Most are made anew for each run: those of one kind are one step.
        which = f"the delegation {rows[0]['id']}" if len(rows) == 1 else f"{len(rows)} delegations, the latest {rows[0]['id']}"
        scopes = f" ({', '.join(names[:6])})" if names else ""
        breaks = sorted({name for row in rows for name in row["actors"] if name not in mine and name != delegator})
        by = f" from {delegator}" if delegator else ""
        plan.append({"do": f"Withdraw {which}{by}{scopes}", "why": f"used until {rows[0]['last_seen']}", "breaks": breaks})
    for each in above:
        if each["steps"] == 1:
            why = f"delegated {each['delegations']} times, last {each['last_seen']}"
            name = each["actor_name"] or each["actor_id"]
            plan.append({"do": f"Stop {name} from delegating to it", "why": why, "breaks": [name]})
    for each in below:
        if each["steps"] == 1:
            why = "what it was handed by this identity goes on without it"
            plan.append({"do": f"Look at what {each['actor_name'] or each['actor_id']} still does for it", "why": why, "breaks": []})
    if not plan:
        why = "no credential and no delegation is on record"
        plan.append({"do": f"Disable {identity} where it is issued", "why": why, "breaks": sorted(mine)})
    return plan


def _is_over(ends: str, now: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(ends)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) < now
