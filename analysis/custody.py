"""Who used which credential, and which actions used up an approval, across traces.

One row per credential, actor and trace, and one per action with an approval. What turns out otherwise later is voided, so
that the order in which data arrives does not matter.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis.authority import DONE, KNOWN
from actorscope.ingest.store.client import Store

_DAY = timedelta(days=1)
_SCHEMA: Any = {
    "kind": pl.String, "id": pl.String, "actor_id": pl.String, "actor_name": pl.String, "trace_id": pl.String, "span_id": pl.String,
    "start_time": pl.Datetime("ns", "UTC"),
}  # fmt: skip
_KEY = ["kind", "id", "actor_id", "trace_id", "place"]


def keep(store: Store, actions: pl.DataFrame, version: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write the uses that touched actions make; returns the earliest uses by every actor of what they touch (`kind`, `id`,
    `actor_id`, place), and those of traces outside that are to be judged again because of what is new.
    """
    fresh = _uses(actions)
    ids = fresh["id"].unique().sort().to_list()
    if not ids:
        return fresh.drop("place"), fresh.select("trace_id", "start_time")
    traces = actions["trace_id"].unique().sort().to_list()
    known = _placed(store.named("custody_of_traces", ids=ids, traces=traces).cast(_SCHEMA))
    changed = fresh.join(known, on=fresh.columns, how="anti", nulls_equal=True)
    gone = known.join(fresh, on=_KEY, how="anti", nulls_equal=True)
    _save(store, changed, False, version)
    _save(store, gone, True, version)
    days = fresh.select(low=pl.col("start_time").min().dt.truncate("1d"), high=pl.col("start_time").max()).row(0)
    found = store.named("custody", ids=ids, **{"from": days[0] - _DAY, "to": days[1] + 2 * _DAY}).cast(_SCHEMA)
    counts = changed.join(found, on=list(_SCHEMA), how="semi", nulls_equal=True)
    return found, _others(found, pl.concat([counts, gone]), traces)


def _uses(actions: pl.DataFrame) -> pl.DataFrame:
    done = actions.filter("is_settled", DONE, KNOWN).sort("start_time", "span_id")
    credentials = done.filter(pl.col("credential_id").is_not_null()).with_columns(
        pl.lit("credential").alias("kind"), pl.col("credential_id").alias("id")
    )
    approvals = done.filter(
        pl.col("approval_stated").is_not_null(), pl.coalesce("approval_grant", pl.lit("once")) == "once"
    ).with_columns(pl.lit("approval").alias("kind"), pl.col("approval_stated").alias("id"))
    both = pl.concat([frame.select(list(_SCHEMA)).cast(_SCHEMA) for frame in (credentials, approvals)])
    return _placed(both).unique(_KEY, keep="first", maintain_order=True)


def _placed(uses: pl.DataFrame) -> pl.DataFrame:
    """An approval is used up by an action, a credential is held by an actor for a trace."""
    place = pl.when(pl.col("kind") == "approval").then("span_id").otherwise(pl.lit(""))
    return uses.with_columns(place.alias("place"))


def _save(store: Store, uses: pl.DataFrame, is_void: bool, version: int) -> None:
    if uses.height:
        rows = uses.drop("place").with_columns(
            pl.col("trace_id", "span_id").str.decode("hex"),
            pl.lit(is_void).alias("is_void"),
            pl.lit(version, pl.UInt64).alias("version"),
        )
        store.insert_frame("custody", rows)


def _others(found: pl.DataFrame, changed: pl.DataFrame, traces: list[str]) -> pl.DataFrame:
    """Uses elsewhere of what has a new or lost use now: of an approval the later ones, of a credential all if several
    actors hold it.
    """
    new = changed.group_by("kind", "id").agg(pl.col("start_time").min().alias("at"))
    several = found.with_columns(pl.col("actor_id").n_unique().over("kind", "id").alias("actors"))
    beside = several.filter(pl.col("trace_id").is_in(traces).not_()).join(new, on=["kind", "id"])
    is_approval = pl.col("kind") == "approval"
    beside = beside.filter((is_approval & (pl.col("start_time") > pl.col("at"))) | (is_approval.not_() & (pl.col("actors") > 1)))
    return beside.select("trace_id", "start_time").unique("trace_id", keep="first", maintain_order=True)
