"""What actors were granted, and when they last used each entry of it: a rollup by entry that any order of arrival leaves the same."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from actorscope.analysis.authority import KNOWN
from actorscope.ingest.store.client import Store

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = pl.Datetime("ns", "UTC")
_HOLDER = ["actor_id", "actor_name"]
_PLACE = ["trace_id", "grant_span_id"]


def keep(store: Store, steps: pl.DataFrame, actions: pl.DataFrame) -> None:
    """Add what touched runs were granted and what touched actions used of it (columns of `scopes.used`)."""
    held = _held(pl.concat([steps.filter("is_run"), actions], how="diagonal"))
    if held.is_empty():
        return
    granted = held.with_columns(pl.col("grant").alias("scope")).explode("scope").group_by(*_HOLDER, "scope").agg(
        pl.col("start_time").min().alias("first_at"),
        pl.col("start_time").max().alias("granted_at"),
        pl.col("grant_ends").max().alias("ends_at"),
        pl.concat_str(
            pl.col("start_time").dt.timestamp("ns").cast(pl.String).str.zfill(20), "trace_id", "grant_span_id", separator=" "
        ).max().alias("granted_in"),
    )  # fmt: skip
    # Of what nobody says, any entry may have been used.
    use = pl.when("use_known").then("use_entries").otherwise("grant").alias("scope")
    uses = held.filter(pl.col("use_known").is_not_null(), (pl.col("authz_outcome") != "deny").fill_null(True))
    uses = uses.select(*_HOLDER, use, "start_time").explode("scope").drop_nulls("scope")
    uses = uses.group_by(*_HOLDER, "scope").agg(pl.col("start_time").max().alias("used_at"))
    rows = granted.join(uses, on=[*_HOLDER, "scope"], how="left").with_columns(
        pl.col("ends_at", "used_at").cast(_UTC).fill_null(pl.lit(_NEVER, _UTC)), pl.col("actor_name").fill_null("")
    )
    store.insert_frame("holdings", rows)


def _held(spans: pl.DataFrame) -> pl.DataFrame:
    """Spans under a grant with the actor who holds it: of a grant to a run that run's, else the first actor below."""
    under = spans.filter("is_settled", KNOWN.fill_null(False), pl.col("grant").list.len() > 0)
    own = (pl.col("span_id") == pl.col("grant_span_id")).cast(pl.Int8)
    first = under.sort(own, pl.col("is_run").fill_null(False), "start_time", "span_id", descending=[True, True, False, False])
    first = first.unique(_PLACE, keep="first", maintain_order=True).select(*_PLACE, *_HOLDER)
    return under.drop(_HOLDER).join(first, on=_PLACE)
