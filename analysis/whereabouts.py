"""Where instances of agents ran, across traces: one instance cannot be on two hosts at once."""

from __future__ import annotations

from typing import Any

import polars as pl

from actorscope.analysis import baselines
from actorscope.ingest.store.client import Store

WHEREABOUTS = baselines.Memory("whereabouts", ("agent_instance_id",), 16, "latest")
_MEMBER = ("trace_id", "span_id", "host_name", "end_time")
_MOMENT = "%Y-%m-%dT%H:%M:%S%.9f%z"
WHERE: Any = {
    "agent_instance_id": pl.String, "host_name": pl.String, "trace_id": pl.String, "span_id": pl.String,
    "at": pl.Datetime("ns", "UTC"), "end_time": pl.Datetime("ns", "UTC"),
}  # fmt: skip


def whereabouts(store: Store, runs: pl.DataFrame, version: int, since: baselines.Since) -> pl.DataFrame:
    """The latest runs of the instances of these, with the columns WHERE; only of those that state instance and host."""
    told = runs.filter(pl.col("agent_instance_id").is_not_null(), pl.col("host_name").is_not_null())
    told = told.with_columns(pl.col("end_time").dt.to_string(_MOMENT))
    members = told.with_columns(baselines.packed(_MEMBER), pl.col("start_time").alias("at"), pl.lit(0.0).alias("value"))
    known = baselines.unpacked(baselines.renew(store, WHEREABOUTS, members, _MEMBER, runs["trace_id"], version, since), _MEMBER)
    ends = pl.col("end_time").str.to_datetime(_MOMENT, time_unit="ns", time_zone="UTC")
    return known.with_columns(ends).select(*WHERE).cast(WHERE)
