"""What touched runs cost, in all and by phase, and what earlier runs did: the frames of the cost rules."""

from __future__ import annotations

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.phases import phases
from actorscope.analysis.spending import measures
from actorscope.analysis.stretches import stretches
from actorscope.ingest.store.client import Store


def frames(
    store: Store, steps: pl.DataFrame, old_runs: pl.DataFrame, version: int, since: baselines.Since
) -> dict[str, pl.DataFrame]:
    """The frames `costs`, `unpriced`, `stretches`, `phase_costs`, `run_costs` and `wider_costs` of touched steps."""
    runs, costs = steps.filter("is_run"), steps.filter(pl.col("cost_usd") > 0)
    has_tokens = pl.sum_horizontal("input_tokens", "output_tokens") > 0
    return {
        "costs": costs,
        "unpriced": steps.filter("is_counted", pl.col("cost_usd").is_null(), has_tokens),
        "stretches": stretches(store, steps),
        "phase_costs": phases(store, runs, costs, version),
        "run_costs": baselines.remember(store, baselines.RUN_COSTS, _costs(runs), version, _costs(old_runs), since),
        "wider_costs": baselines.remember(store, baselines.WIDER_COSTS, _wider(runs), version, _wider(old_runs), since),
    }


def _costs(runs: pl.DataFrame) -> pl.DataFrame:
    return measures(baselines.members(runs)).with_columns(_member("run_model"))


def _member(other: str) -> pl.Expr:
    return pl.concat_str("trace_id", "span_id", pl.col(other).fill_null(""), separator=":").alias("trace_id")


def _wider(runs: pl.DataFrame) -> pl.DataFrame:
    """The same for all kinds of task of an actor, and for a kind of task whoever does it."""
    took = measures(baselines.members(runs)).filter(pl.col("unit").is_in(["usd", "tokens"]))
    named = took.filter(pl.col("task_kind").is_not_null())
    actors = took.with_columns(_member("task_kind"), level=pl.lit("actor"), of="actor_id")
    return pl.concat([actors, named.with_columns(_member("actor_id"), level=pl.lit("peers"), of="task_kind")])
