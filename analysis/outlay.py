"""What touched runs cost, in all and by phase, and what earlier runs did: the frames of the cost rules."""

from __future__ import annotations

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.phases import phases
from actorscope.analysis.spending import measures
from actorscope.analysis.stretches import stretches
from actorscope.ingest.store.client import Store

UNPRICED = baselines.Memory("unpriced", ("actor_id", "model", "day"), 1, "earliest")
MANY_TOKENS = 50_000


def frames(
    store: Store, steps: pl.DataFrame, old_runs: pl.DataFrame, version: int, since: baselines.Since
) -> dict[str, pl.DataFrame]:
    """The frames `costs`, `unpriced`, `stretches`, `phase_costs`, `run_costs` and `wider_costs` of touched steps."""
    runs, costs = steps.filter("is_run"), steps.filter(pl.col("cost_usd") > 0)
    return {
        "costs": costs,
        "unpriced": _unpriced(store, steps, version),
        "stretches": stretches(store, steps),
        "phase_costs": phases(store, runs, costs, version, since),
        "run_costs": baselines.remember(store, baselines.RUN_COSTS, _costs(runs), version, _costs(old_runs), since),
        "wider_costs": baselines.remember(store, baselines.WIDER_COSTS, _wider(runs), version, _wider(old_runs), since),
    }


def _unpriced(store: Store, steps: pl.DataFrame, version: int) -> pl.DataFrame:
    """Calls without a price of the first trace of a day in which an agent took many tokens of a model that way."""
    tokens = pl.sum_horizontal("input_tokens", "output_tokens").cast(pl.Float64)
    calls = steps.filter("is_counted", "is_settled", pl.col("cost_usd").is_null(), tokens > 0)
    calls = calls.with_columns(pl.col("actor_id", "model").fill_null(""), pl.col("start_time").dt.date().cast(pl.String).alias("day"))
    of = [*UNPRICED.key, "trace_id"]
    traces = calls.group_by(of).agg(pl.col("start_time").min().alias("at"), tokens.sum().alias("value"))
    first = baselines.remember(store, UNPRICED, traces.filter(pl.col("value") >= MANY_TOKENS), version)
    return calls.join(first, on=of, how="semi")


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
