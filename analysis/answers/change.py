"""Who changed a resource: the actions on it, each with the chain of agents behind it and who approved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.analysis.answers.lineage import lineages
from actorscope.ingest.store.client import Store
from actorscope.ingest.targets import canonical

_EVER = datetime(1970, 1, 2, tzinfo=UTC)
_AHEAD = timedelta(days=1)
MOST_CHAINS = 20


def who_changed(
    store: Store, resource: str, since: datetime | None = None, until: datetime | None = None, reads: bool = False, limit: int = 200
) -> dict[str, Any]:
    """Actions on `resource` (an address, account, path, id...; canonical or not), writes first, then the newest.

    The first MOST_CHAINS have their `lineage`. `how` says what connects an action with the resource: `target` where it
    is one of those that it acted on, `named` where only its arguments name it.
    """
    name = canonical(resource) or resource.strip().lower()
    if not name:
        return {"resource": resource, "changes": [], "is_cut": False}
    bounds: dict[str, Any] = {"from": since or _EVER, "to": until or datetime.now(UTC) + _AHEAD}
    rows = store.named("changes_of", **bounds, name=name, plain=name.isascii(), writes=not reads, limit=limit + 1)
    found = rows.head(limit).to_dicts()
    places = [(row["trace_id"], row["span_id"], row["start_time"]) for row in found[:MOST_CHAINS]]
    chains = lineages(store, places) if places else []
    told = [plain(row) for row in found]
    for at, row in enumerate(told):
        is_target = name in row["targets"] or name in (row["target"] or "").lower()
        row["how"] = "target" if is_target else "named"
        row["lineage"] = chains[at] if at < len(chains) else None
    return {"resource": name, "changes": told, "is_cut": rows.height > limit}
