"""Bounded memories of what is normal: the earliest or the latest few members of a key.

Merging is a union by member, cut to a fixed number in order of event time: the order in which data arrives does not
matter, seeing a run twice changes nothing, and the cost of an update follows the new data. Of two sights of one member
the earliest memory keeps the earlier, the latest memory the newer one (a run whose cost has grown).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.ingest.store.client import Store

_JOIN, _PART = "\x1f", "\x1e"
_MEMBERS: Any = {
    "key": pl.String,
    "at": pl.Datetime("ns", "UTC"),
    "trace_id": pl.String,
    "value": pl.Float64,
}


@dataclass(frozen=True)
class Memory:
    """A kind of baseline: what makes its key, how many members it keeps and from which end."""

    name: str
    key: tuple[str, ...]
    size: int
    keep: str
    """`earliest` or `latest`"""


FIRST_RUNS = Memory("first_runs", ("actor_id", "task_kind"), 17, "earliest")
FIRST_USES = Memory("first_uses", ("actor_id", "task_kind", "tool_name"), 8, "earliest")
NTH_USES = Memory("nth_uses", ("actor_id", "task_kind", "tool_name", "nth"), 8, "earliest")
"""The second and later uses within one run."""
LEARNED_TOOLS = Memory("learned_tools", ("actor_id", "task_kind"), 64, "earliest")
"""Members are tools instead of traces."""
RUN_SHAPES = Memory("run_shapes", ("actor_id", "measure"), 200, "latest")
RUN_COSTS = Memory("run_costs", ("actor_id", "task_kind", "unit"), 400, "latest")
"""Members are trace, span and model of a run."""
WIDER_COSTS = Memory("wider_costs", ("level", "of", "unit"), 128, "latest")
"""The same over all task kinds of an actor, or all actors with a task kind; members are trace, span, and the other of the two."""
Since = dict[str, pl.DataFrame]
"""By memory the keys, in their columns, that say something else `since` a moment (see `analysis/hindsight.py`)."""


def remember(
    store: Store, memory: Memory, members: pl.DataFrame, version: int, before: pl.DataFrame | None = None, since: Since | None = None,
) -> pl.DataFrame:
    """Merge `members` (the key columns, `at`, `trace_id`, `value`) into a memory and return it for the keys they touch.

    `before` has the members that were made of the same traces earlier: those that are not made any more are forgotten.
    Returns one row per member with the key columns, `at`, `trace_id` and `value`. What changed is noted in `since`.
    """
    fresh = _keyed(memory, members)
    earlier = fresh.clear() if before is None else _keyed(memory, before)
    keys = pl.concat([fresh["key"], earlier["key"]]).unique().sort().to_list()
    if not keys:
        return _split(fresh, memory.key)
    known = store.named("baselines", memory=memory.name, keys=keys).cast(_MEMBERS)
    # What was made of the same traces is made anew, also where only its time or its value is another one.
    mine = earlier.select("key", "trace_id")
    merged = _merge(memory, known.join(mine, on=mine.columns, how="anti"), fresh)
    # What was written is merged already, key by key.
    if not merged.equals(known.sort("key", maintain_order=True)):
        emptied = known.join(merged, on="key", how="anti")["key"].unique().sort()
        if since is not None:
            same, old = list(_MEMBERS), known.join(mine, on=mine.columns, how="semi")
            changed = pl.concat([merged.join(known, on=same, how="anti"), old.join(merged, on=same, how="anti")])
            since[memory.name] = _split(changed.group_by("key").agg(pl.col("at").min().alias("since")), memory.key)
        _save(store, memory, merged, emptied, version)
    return _split(merged, memory.key)


def renew(
    store: Store,
    memory: Memory,
    members: pl.DataFrame,
    columns: Sequence[str],
    traces: pl.Series,
    version: int,
    since: Since | None = None,
) -> pl.DataFrame:
    """`remember` for members packed of `columns`: what was noted of the same `traces` before may have looked different."""
    known = recall(store, memory, members)
    ours = unpacked(known, columns)["trace_id"].is_in(traces.unique().implode())
    return remember(store, memory, members, version, known.filter(ours), since)


def recall(store: Store, memory: Memory, asked: pl.DataFrame) -> pl.DataFrame:
    """What a memory has of the keys in `asked`, in the form of `remember`."""
    keys = asked.select(_key_of(memory.key))["key"].unique().sort().to_list()
    known = store.named("baselines", memory=memory.name, keys=keys) if keys else pl.DataFrame(schema=_MEMBERS)
    return _split(known.cast(_MEMBERS), memory.key)


def within(store: Store, memory: Memory, asked: pl.DataFrame) -> pl.DataFrame:
    """What a memory has of keys that begin with the columns `actor_id` and `task_kind` of `asked`, in the form of `remember`."""
    prefixes = asked.select(_key_of(("actor_id", "task_kind")))["key"].unique().sort().to_list()
    return _split(store.named("baselines_within", memory=memory.name, prefixes=prefixes).cast(_MEMBERS), memory.key)


def _keyed(memory: Memory, members: pl.DataFrame) -> pl.DataFrame:
    return members.select(_key_of(memory.key), *(pl.col(c) for c in list(_MEMBERS)[1:])).cast(_MEMBERS)


def members(steps: pl.DataFrame) -> pl.DataFrame:
    """One member per step of a known actor whose place is settled, for the memories of runs and uses."""
    known = steps.filter("is_settled", pl.col("actor_id").is_not_null()).sort("start_time", "span_id")
    return known.with_columns(pl.col("start_time").alias("at"), pl.lit(0.0).alias("value"))


def packed(columns: Sequence[str]) -> pl.Expr:
    """Columns as one member of a memory, for `trace_id`; what is missing becomes empty text."""
    return _joined(columns, _PART).alias("trace_id")


def unpacked(members: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The columns that `packed` put together, `trace_id` among them."""
    return members.with_columns(_parts("trace_id", columns, _PART))


def _key_of(columns: Sequence[str]) -> pl.Expr:
    return _joined(columns, _JOIN).alias("key")


def _joined(columns: Sequence[str], separator: str) -> pl.Expr:
    return pl.concat_str([pl.col(c).fill_null("") for c in columns], separator=separator)


def _parts(column: str, names: Sequence[str], separator: str) -> Iterator[pl.Expr]:
    parts = pl.col(column).str.split(separator)
    return (parts.list.get(i, null_on_oob=True).alias(name) for i, name in enumerate(names))


def _merge(memory: Memory, known: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    both = pl.concat([known, fresh])
    if memory.keep == "earliest":
        both = both.sort("key", "at", "trace_id").unique(["key", "trace_id"], keep="first", maintain_order=True)
        cut = pl.all().head(memory.size)
    else:
        both = both.unique(["key", "trace_id"], keep="last", maintain_order=True).sort("key", "at", "trace_id")
        cut = pl.all().tail(memory.size)
    return both.group_by("key", maintain_order=True).agg(cut).explode("at", "trace_id", "value")


def _save(store: Store, memory: Memory, merged: pl.DataFrame, emptied: pl.Series, version: int) -> None:
    rows = merged.group_by("key", maintain_order=True).agg("at", "trace_id", "value")
    rows = pl.concat([rows, pl.DataFrame({"key": emptied}, schema={"key": pl.String})], how="diagonal")
    rows = rows.with_columns(pl.col("at", "trace_id", "value").fill_null([]))
    store.insert_frame(
        "baselines",
        rows.select(
            pl.lit(memory.name).alias("name"),
            "key",
            "at",
            "trace_id",
            "value",
            pl.lit(version, pl.UInt64).alias("version"),
        ),
    )


def _split(members: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    return members.with_columns(_parts("key", columns, _JOIN)).drop("key")
