"""Model calls, each counted once, and what they cost."""

from __future__ import annotations

import numpy as np
import polars as pl

from actorscope.analysis.paths import IS_FIRST, Flags, Rows, above, flag, take
from actorscope.analysis.prices import price_calls


def count_calls(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Adds is_counted, cost_usd and cost_source.

    Of nested reports of one call the inner one with tokens counts, of simultaneous ones in one or two traces the first.
    """
    n = steps.height
    call = flag(pl.col("role") == "model_call", steps)
    has_tokens = flag(pl.col("input_tokens").is_not_null() | pl.col("output_tokens").is_not_null(), steps)
    outer = _outer_call(steps, parent, call)
    covered, rows = np.zeros(n + 1, dtype=np.bool_), outer[call & has_tokens]
    while (rows := np.unique(rows[(rows < n) & ~covered[rows]])).size:
        covered[rows] = True
        rows = outer[rows]
    counted = call & ~covered[:n] & (has_tokens | (outer == n))
    # What the outer report alone says of the call is said of the inner one, if there is only one.
    alone = counted & (np.bincount(outer[counted], minlength=n + 1)[outer] == 1)
    around = np.where(alone, outer, n)
    stated = pl.select(pl.coalesce(steps["cost_amount"], take(steps["cost_amount"], around))).to_series()
    asked = pl.select(pl.coalesce(steps["tool_calls"], take(steps["tool_calls"], around))).to_series()
    steps = steps.with_columns(pl.Series("is_counted", counted), stated.alias("stated"), asked.alias("tool_calls"))
    return _price(_without_twins(steps))


def _outer_call(steps: pl.DataFrame, parent: Rows, call: Flags) -> Rows:
    """For each call the report of the same call around it; an action or a run between them makes it another call."""
    around = above(call | flag(pl.col("is_run") | (pl.col("role") == "action"), steps), parent)
    return np.where(call & np.append(call, False)[around], around, steps.height)


def _without_twins(steps: pl.DataFrame) -> pl.DataFrame:
    """Two instrumentations of one call report the same response id at the same time, or the same tokens within the
    same moment where one of them, under another name, has no id; maybe in two traces.
    """
    order = ["start_time", "trace_id", "span_id"]
    same = ["service_name", "response_id"]
    calls = steps.select("is_counted", *same, "start_time", "trace_id", "span_id", "end_time").with_row_index("row")
    calls = calls.filter("is_counted", pl.col("response_id").is_not_null()).filter(pl.len().over(same) > 1)
    calls = calls.sort(order)
    repeated = calls.filter(pl.col("start_time") < pl.col("end_time").cum_max().shift(1).over(same))["row"]
    if repeated.len():
        steps = steps.with_columns(pl.col("is_counted") & pl.int_range(pl.len()).is_in(repeated.cast(pl.Int64).implode()).not_())
    return _without_nameless_twins(steps)


def _without_nameless_twins(steps: pl.DataFrame) -> pl.DataFrame:
    """A report without a response id at the top of its trace, while another instrumentation reports the same tokens."""
    has_tokens = pl.col("is_counted") & (pl.col("input_tokens") > 0) & pl.col("output_tokens").is_not_null()
    key = ["service_name", "input_tokens", "output_tokens"]
    mine = [*key, "trace_id", "span_id", "dialect", "start_time", "end_time"]
    bare = steps.filter(has_tokens & pl.col("response_id").is_null() & IS_FIRST).select(mine)
    if bare.is_empty():
        return steps
    full = steps.filter(has_tokens & pl.col("response_id").is_not_null() & IS_FIRST).select(mine)
    pairs = bare.join(full, on=key, suffix="_full").filter(
        pl.col("dialect") != pl.col("dialect_full"),
        pl.col("start_time") < pl.col("end_time_full"),
        pl.col("start_time_full") < pl.col("end_time"),
    )
    twins = pairs.select("trace_id", "span_id").unique().with_columns(pl.lit(True).alias("is_twin"))
    steps = steps.join(twins, on=["trace_id", "span_id"], how="left", maintain_order="left")
    return steps.with_columns(pl.col("is_counted") & pl.col("is_twin").is_null()).drop("is_twin")


def _price(steps: pl.DataFrame) -> pl.DataFrame:
    """What a span states for itself, else the price list."""
    is_dollar = pl.col("cost_currency").is_null() | (pl.col("cost_currency").str.to_uppercase() == "USD")
    is_self = pl.col("is_counted") | ((pl.col("role") != "model_call") & (pl.col("cost_basis") == "self"))
    is_self = is_self | (
        (pl.col("role") == "action") & (pl.col("cost_basis").is_null() | (pl.col("cost_basis") != "aggregate"))
    )
    own = pl.when(is_self & is_dollar).then(pl.col("stated"))
    priced = pl.when(pl.col("is_counted")).then(price_calls(steps))
    return steps.with_columns(
        pl.coalesce(own, priced).alias("cost_usd"),
        pl.when(own.is_not_null())
        .then(pl.lit("stated"))
        .when(priced.is_not_null())
        .then(pl.lit("backend"))
        .alias("cost_source"),
    ).drop("stated")
