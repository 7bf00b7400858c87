"""What a run spent: the measure by which runs are compared, and the calls that make it up. Plain frames, no store."""

from __future__ import annotations

from typing import Any

import polars as pl

from actorscope.analysis.detector import rows
from actorscope.analysis.finding import Evidence
from actorscope.analysis.paths import at_or_below

_SHOWN = 5
PER_CALL = " per call"
"""Ends the unit of what a run took per model call."""
WRITTEN = "written tokens" + PER_CALL
CALLS = "calls"
NODES = {"actor": "actor_id", "task": "task_kind", "delegator": "starter_id", "tenant": "tenant"}
"""What budgets are of: the column that says to which one a span belongs."""
LATEST = 5
"""How many calls of a run count as its latest ones."""


def measured(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs with `unit` and `measure`: dollars, or tokens where nothing is priced."""
    is_priced = pl.col("run_cost_usd") > 0
    return runs.with_columns(
        pl.when(is_priced).then(pl.lit("usd")).otherwise(pl.lit("tokens")).alias("unit"),
        pl.when(is_priced)
        .then(pl.col("run_cost_usd"))
        .otherwise(pl.col("run_tokens").cast(pl.Float64))
        .alias("measure"),
    )


def measures(runs: pl.DataFrame) -> pl.DataFrame:
    """One row per run and `unit` of what it took, `value`: dollars, tokens, these and written tokens per model call, model calls."""
    amounts = {"usd": pl.col("run_cost_usd"), "tokens": pl.col("run_tokens").cast(pl.Float64)}
    calls = pl.when(pl.col("run_calls") > 0).then("run_calls")
    written = pl.col("run_output_tokens").cast(pl.Float64) / calls
    units = [
        runs.with_columns(pl.lit(unit + suffix).alias("unit"), (amount / share).alias("value"))
        for unit, amount in amounts.items()
        for suffix, share in (("", pl.lit(1)), (PER_CALL, calls))
    ]
    units.append(runs.with_columns(pl.lit(WRITTEN).alias("unit"), written.alias("value")))
    units.append(runs.with_columns(pl.lit(CALLS).alias("unit"), pl.col("run_calls").cast(pl.Float64).alias("value")))
    return pl.concat(units).filter(pl.col("value") > 0)


def below(run: dict[str, Any], runs: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """The costs of a run and of all it delegated."""
    inside = at_or_below(runs, run["trace_id"], run["span_id"])
    mine = costs.filter(pl.col("trace_id") == run["trace_id"], pl.col("run_span_id").is_in(inside))
    return mine.unique(["trace_id", "span_id"])


def amount(value: float, unit: str) -> str:
    """An amount of a unit, for people."""
    share = PER_CALL if unit.endswith(PER_CALL) else ""
    kind = "written tokens" if unit == WRITTEN else "tokens"
    return (f"${value:.4g}" if unit.startswith("usd") else f"{value:,.0f} {kind}") + share


def evidence(spent: pl.DataFrame) -> tuple[Evidence, ...]:
    """The costliest of these calls."""
    worst = spent.sort("cost_usd", "span_id", descending=[True, False]).head(_SHOWN)
    return tuple(
        Evidence(c["trace_id"], c["span_id"], "cost", f"{c['name']}: ${c['cost_usd']:.4g}") for c in rows(worst)
    )


def basis(spent: pl.DataFrame) -> str:
    """Declared where every span states its cost, derived where the price list was used."""
    return "declared" if spent.height and spent["cost_source"].eq("stated").all() else "derived"
