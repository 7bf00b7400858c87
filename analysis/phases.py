"""What each phase of a run cost, and what it cost in earlier runs."""

from __future__ import annotations

import polars as pl

from actorscope.analysis import baselines
from actorscope.ingest.store.client import Store

PHASE_COSTS = baselines.Memory("phase_costs", ("actor_id", "task_kind", "phase"), 100, "latest")
_PLACE = ["trace_id", "run_span_id"]


def phases(
    store: Store, runs: pl.DataFrame, costs: pl.DataFrame, version: int, since: baselines.Since
) -> pl.DataFrame:
    """What each declared phase of the latest runs of an actor and task kind cost, of what the runs spent themselves."""
    spent = costs.filter(pl.col("phase").is_not_null(), pl.col("run_span_id").is_not_null())
    spent = spent.group_by(*_PLACE, "phase").agg(pl.col("cost_usd").sum().alias("value"))
    known = runs.filter("is_settled", pl.col("actor_id").is_not_null())
    members = spent.join(known.select("trace_id", "actor_id", "task_kind", run_span_id="span_id", at="start_time"), on=_PLACE)
    members = members.with_columns(baselines.packed(_PLACE))
    return baselines.renew(store, PHASE_COSTS, members, _PLACE, runs["trace_id"], version, since)
