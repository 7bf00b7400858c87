"""Who started the work that cost money, through which agents it went, and what it went into."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.ingest.store.client import Store

AMOUNTS = ("total_usd", "reasoning_usd", "execution_usd", "retry_waste_usd", "loop_waste_usd")
_EVER = datetime(1970, 1, 2, tzinfo=UTC)
_MOST_CHAINS = 5000


def spend(store: Store, since: datetime | None = None, starter: str = "", limit: int = 50) -> dict[str, Any]:
    """The starters that cost most from `since` (event time) on, each with a tree of the agents that spent.

    A node has what its agent spent itself (`own_usd`) and the AMOUNTS with all below it; every dollar of the view `costs`
    is in one node's own. `starter` is an id or a name. `newest_at` says where the data is when nothing was spent.
    """
    asked: dict[str, Any] = {"from": since or _EVER}
    rows = store.named("spend_starters", **asked, starter=starter, limit=limit + 1)
    found = rows.head(limit).to_dicts()
    ids = [row["starter_id"] for row in found]
    chains = store.named("spend_chains", **asked, starters=ids, limit=_MOST_CHAINS + 1)
    trees: dict[str, dict[str, Any]] = {id_: _node("", "") for id_ in ids}
    for row in chains.head(_MOST_CHAINS).iter_rows(named=True):
        _add(trees[row["starter_id"]], row)
    newest = store.named("newest_fact").row(0, named=True)
    return {
        "starters": [{**plain(row), "agents": _below(trees[row["starter_id"]])} for row in found],
        "total_usd": sum(row["total_usd"] for row in found),
        "is_cut": rows.height > limit or chains.height > _MOST_CHAINS,
        "newest_at": plain(newest["at"]) if newest["spans"] else None,
    }


def _node(name: str, actor_id: str) -> dict[str, Any]:
    return {"name": name, "actor_id": actor_id, "own_usd": 0.0, **dict.fromkeys(AMOUNTS, 0.0), "spans": 0, "below": {}}


def _add(tree: dict[str, Any], row: dict[str, Any]) -> None:
    node = tree
    for name in row["chain"]:
        node = node["below"].setdefault(name, _node(name, ""))
        for amount in (*AMOUNTS, "spans"):
            node[amount] += row[amount]
    node["actor_id"] = row["actor_id"]
    node["own_usd"] += row["total_usd"]


def _below(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes below one, the dearest first, each with those below it as a list."""
    ordered = sorted(node["below"].values(), key=lambda n: (-n["total_usd"], n["name"]))
    return [{**{k: v for k, v in each.items() if k != "below"}, "agents": _below(each)} for each in ordered]
