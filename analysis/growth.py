"""How what an actor reaches grows: when it first used each tool on each class of resource. Bounded, in event time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.authority import DONE, KNOWN
from actorscope.ingest.mask import PREFIX
from actorscope.ingest.store.client import Store

FIRST_REACHES = baselines.Memory("first_reaches", ("actor_id", "tool_name", "resource"), 2, "earliest")
REACHES = baselines.Memory("reaches", ("actor_id",), 512, "earliest")
"""Members are pairs of tool and class of resource instead of traces. Who has as many reaches anything."""
_PAIR = ["actor_id", "tool_name", "resource"]
_MEMBER, _PLACE = ("tool_name", "resource"), ("trace_id", "span_id")
_FELT = timedelta(weeks=9)
"""How long a first use counts: in its week, and in the eight after it."""
_ROW: Any = {
    **dict.fromkeys(_PAIR, pl.String), "at": pl.Datetime("ns", "UTC"), "trace_id": pl.String, "span_id": pl.String, "actor_name": pl.String,
    "span_ids": pl.List(pl.String), "side_effect": pl.String, "target": pl.String, "cost_usd": pl.Float64,
}  # fmt: skip


def resource(target: pl.Expr) -> pl.Expr:
    """The class of a canonical target: the domain of an address, the host of a site, the upper folders of a path, else its form."""
    forms = (r"^[^/]*@([^@/]+)$", r"^([\w-]+(?:\.[\w-]+)+)(?:[/?#:]|$)", r"^(/[^/]+(?:/[^/]+)?)/")
    form = pl.when(target.str.starts_with(PREFIX)).then(pl.lit("fingerprint")).otherwise(pl.lit("name"))
    return pl.when(target.is_null()).then(pl.lit("")).otherwise(pl.coalesce(*map(target.str.extract, forms), form)).alias("resource")


def grow(store: Store, actions: pl.DataFrame, before: pl.DataFrame, version: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every known pair of the actors that first used one in these traces, and traces outside to judge again, because an
    earlier first use came to light.

    The pairs have the columns of _ROW: what only an action tells, and the place in other weeks, is null; nothing is said of
    actors that reach anything. `before` has what was known of these traces.
    """
    targets = pl.col("aims").list.eval(pl.element().struct.field("target"))
    mine = _uses(actions.filter("is_settled", DONE, KNOWN.fill_null(False)).with_columns(targets.alias("targets")))
    mine = mine.unique([*_PAIR, "trace_id"], keep="first", maintain_order=True)
    old = _uses(before.filter(pl.col("role") == "action", pl.col("actor_id").is_not_null()))
    firsts = _firsts(baselines.remember(store, FIRST_REACHES, _members(mine), version, _members(old)))
    gone = old.join(firsts, on=_PAIR, how="anti")
    is_mine = pl.col("trace_id").is_in(actions["trace_id"].unique().implode())
    actors = pl.concat([firsts.filter(is_mine)["actor_id"], gone["actor_id"]]).unique()
    firsts = firsts.filter(pl.col("actor_id").is_in(actors.implode()))
    known = _split(baselines.recall(store, REACHES, actors.to_frame()))
    dated = known.join(firsts.select(*_PAIR, first_at="at"), on=_PAIR).filter(pl.col("at") < pl.col("first_at"))
    if dated.height:  # the memory keeps the earlier of two times: what turned out to be later is forgotten first
        baselines.remember(store, REACHES, _as_members(firsts).clear(), version, _as_members(dated))
    reached = _split(baselines.remember(store, REACHES, _as_members(firsts), version, _as_members(gone)))
    key = [*_PAIR, "at"]
    changed = pl.concat([reached.join(known, on=key, how="anti"), known.join(reached, on=key, how="anti")])
    places = _places(store, reached, firsts.filter(is_mine), changed)
    told = mine.drop("at")
    rows = reached.join(places, on=_PAIR, how="left").join(told, on=[*_PAIR, "trace_id", "span_id"], how="left")
    rows = rows.filter(pl.len().over("actor_id") < REACHES.size)
    return rows.select(list(_ROW)).cast(_ROW), _again(places, reached, changed).filter(is_mine.not_())


def _uses(actions: pl.DataFrame) -> pl.DataFrame:
    """One row per action, tool and class of resource, in order of time; `span_ids` are all such uses in the trace."""
    missing = (pl.lit(None, _ROW[c]).alias(c) for c in ("actor_name", "target", "cost_usd") if c not in actions.columns)
    none = pl.lit([None], pl.List(pl.String))
    used = actions.filter(pl.col("tool_name").is_not_null()).with_columns(
        *missing, pl.when(pl.col("targets").list.len() > 0).then("targets").otherwise(none).alias("targets")
    )
    columns = [c for c in _ROW if c not in ("resource", "span_ids", "at")]
    used = used.select(*columns, pl.col("start_time").alias("at"), "targets").explode("targets")
    used = used.with_columns(resource(pl.col("targets"))).drop("targets").unique([*_PAIR, "trace_id", "span_id"])
    spans = pl.col("span_id").implode().over(*_PAIR, "trace_id").alias("span_ids")
    return used.sort("at", "trace_id", "span_id").with_columns(spans)


def _members(uses: pl.DataFrame) -> pl.DataFrame:
    return uses.select(*_PAIR, "at", baselines.packed(_PLACE), pl.lit(0.0).alias("value"))


def _firsts(members: pl.DataFrame) -> pl.DataFrame:
    """The earliest use of each pair that is known, with its place."""
    found = baselines.unpacked(members, _PLACE).sort("at", "trace_id", "span_id")
    return found.unique(_PAIR, keep="first", maintain_order=True)


def _as_members(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs as members of their actor."""
    return pairs.select("actor_id", "at", baselines.packed(_MEMBER), pl.lit(0.0).alias("value"))


def _split(members: pl.DataFrame) -> pl.DataFrame:
    return baselines.unpacked(members, _MEMBER).select(*_PAIR, "at")


def _places(store: Store, reached: pl.DataFrame, new: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """Where the pairs were first used that were new in the same weeks, or after what has changed."""
    week = pl.col("at").dt.truncate("1w").alias("week")
    beside = reached.with_columns(week).join(new.select("actor_id", week).unique(), on=["actor_id", "week"], how="semi")
    wanted = pl.concat([beside.select(_PAIR), _after(reached, changed).select(_PAIR)]).unique()
    return _firsts(baselines.recall(store, FIRST_REACHES, wanted)).select(*_PAIR, *_PLACE)


def _after(reached: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    since = changed.group_by("actor_id").agg(pl.col("at").min().alias("low"), pl.col("at").max().alias("high"))
    later = reached.join(since, on="actor_id").filter(pl.col("at") > pl.col("low"), pl.col("at") < pl.col("high") + _FELT)
    return later.select(*_PAIR, "at")


def _again(places: pl.DataFrame, reached: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    later = _after(reached, changed).join(places, on=_PAIR)
    return later.select("trace_id", pl.col("at").alias("start_time")).unique("trace_id", keep="first", maintain_order=True)
