"""Views that people want to come back to: a page of the explorer with its query, under a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store


def views(store: Store) -> list[dict[str, Any]]:
    """Every saved view by name: name, page, query, author, at."""
    return [{**row, "at": row["at"].isoformat()} for row in store.named("saved_views").iter_rows(named=True)]


def save(store: Store, name: str, page: str, query: str, author: str, now: datetime) -> None:
    """Keep a view under a name; an earlier one of that name is replaced. Raises DefinitionError without a name."""
    if not name.strip():
        raise DefinitionError([Problem("name", "is missing", "give the view a name")])
    _write(store, name.strip()[:200], page, query[:4000], author.strip()[:200], now, False)


def forget(store: Store, name: str, author: str, now: datetime) -> None:
    """Take a view away."""
    _write(store, name, "", "", author, now, True)


def _write(store: Store, name: str, page: str, query: str, author: str, now: datetime, is_gone: bool) -> None:
    version = int(now.astimezone(UTC).timestamp() * 1e9)
    row = {"name": name, "page": page, "query": query, "author": author, "at": now, "is_gone": is_gone, "version": version}
    types: Any = {"at": pl.Datetime("us", "UTC"), "version": pl.UInt64}
    store.insert_frame("saved_views", pl.DataFrame([row], schema_overrides=types))
