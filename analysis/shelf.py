"""The store as a pass of analysis sees it: memories that are in use stay at hand, and what a pass changes of them is written at once."""

from __future__ import annotations

from typing import Any

import polars as pl

from actorscope.ingest.store.client import Store

_MOST_KEYS, _MOST_MEMBERS = 20_000, 400_000
_TABLE = "baselines"


class Shelf(Store):
    """A store of which one runner at a time remembers what it read and wrote of `baselines`.

    The agents that are busy in one pass are busy in the next one: their memories would be read and unpacked again each
    time. `flush` writes what was changed; a pass that failed before it must begin again with a new shelf.
    """

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))
        self._kept: dict[str, tuple[pl.Series, pl.DataFrame]] = {}
        self._used: dict[str, list[pl.Series]] = {}
        self._changed: list[pl.DataFrame] = []

    def named(self, name: str, /, **parameters: Any) -> pl.DataFrame:
        if name != _TABLE:
            if name.startswith(_TABLE):
                self._write()
            return super().named(name, **parameters)
        memory, asked = parameters["memory"], pl.Series("key", parameters["keys"], pl.String)
        self._used.setdefault(memory, []).append(asked)
        keys, members = self._kept.get(memory, (asked.clear(), None))
        missing = asked.filter(asked.is_in(keys.implode()).not_())
        if members is None or missing.len():
            found = super().named(_TABLE, memory=memory, keys=missing.to_list())
            members = found if members is None else pl.concat([members, found])
            self._kept[memory] = pl.concat([keys, missing]), members
        return members.filter(pl.col("key").is_in(asked.implode()))

    def insert_frame(self, table: str, rows: pl.DataFrame, token: str = "") -> None:
        if table != _TABLE:
            super().insert_frame(table, rows, token)
            return
        self._changed.append(rows)
        for (memory,), part in rows.partition_by("name", as_dict=True).items():
            keys, members = self._kept[memory]
            fresh = part.select(members.columns).explode("at", "trace_id", "value", empty_as_null=False).cast(members.schema)
            others = members.filter(pl.col("key").is_in(part["key"].implode()).not_())
            self._kept[memory] = keys, pl.concat([others, fresh])

    def flush(self) -> None:
        """Write what has changed, and put away what the last pass did not use where it becomes too much."""
        self._write()
        for memory, (keys, members) in self._kept.items():
            if keys.len() > _MOST_KEYS or members.height > _MOST_MEMBERS:
                used = pl.concat(self._used.get(memory, [keys.clear()])).unique()
                used = used if used.len() <= _MOST_KEYS else used.clear()
                self._kept[memory] = used, members.filter(pl.col("key").is_in(used.implode()))
        self._used = {}

    def _write(self) -> None:
        if self._changed:
            super().insert_frame(_TABLE, pl.concat(self._changed))
        self._changed = []
