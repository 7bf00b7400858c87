"""Grants and credentials that were taken back before their end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl

from actorscope.ingest.store.client import Store

_SCHEMA: Any = {
    "id": pl.String(), "revoked_at": pl.Datetime("ns", "UTC"), "trace_id": pl.String(), "span_id": pl.String(), "reason": pl.String(),
}  # fmt: skip
_DAY = timedelta(days=1)
_OVERLAP = timedelta(minutes=1)


def of(store: Store, actions: pl.DataFrame) -> pl.DataFrame:
    """When what these actions used was first taken back: `id`, `revoked_at`, place and `reason`; place is empty where
    nobody named a span.
    """
    ids = pl.concat([actions["under_id"], actions["credential_id"]]).drop_nulls().unique().sort().to_list()
    return store.named("revocations", ids=ids).cast(_SCHEMA) if ids else pl.DataFrame(schema=_SCHEMA)


class Revoked:
    """Tells which traces used something that turned out later to have been taken back before.

    After a restart the last day is looked at again: judging a trace twice gives the same.
    """

    def __init__(self, store: Store, now: datetime) -> None:
        self._store, self._after = store, now - _DAY
        self._seen: set[tuple[str, datetime]] = set()

    def traces(self) -> pl.DataFrame:
        """Traces (`trace_id`, `start_time`) to judge again because of what came in since the last call."""
        rows = self._store.named("new_revocations", after=self._after)
        news = {(id_, at) for id_, at in rows.select("id", "revoked_at").iter_rows()}
        fresh = news - self._seen
        if not fresh:
            return pl.DataFrame(schema={"trace_id": pl.String, "start_time": pl.Datetime("ns", "UTC")})
        self._after, self._seen = rows.select(pl.col("received_at").max()).item() - _OVERLAP, news
        first, last = min(at for _, at in fresh), max(at for _, at in fresh)
        ids = sorted(id_ for id_, _ in fresh)
        return self._store.named("uses_of_revoked", ids=ids, **{"from": first, "to": last + _DAY})
