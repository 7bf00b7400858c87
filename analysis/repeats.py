"""What is remembered of writes and of failures across traces: who wrote for which cause, and what failed in which minutes.

Both are memories of `baselines.py`, bounded per key; a member is a span with what a detector must know of it.
"""

from __future__ import annotations

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.detector import WRITES
from actorscope.ingest.store.client import Store

CAUSE_WRITES = baselines.Memory("cause_writes", ("cause_id", "tool_name"), 16, "earliest")
FAILURES = baselines.Memory("failures", ("tool_name", "error_type", "bucket"), 200, "earliest")
BUCKET = "5m"
_MEMBER = ("trace_id", "span_id", "actor_id", "signature")


def cause_writes(store: Store, actions: pl.DataFrame, before: pl.DataFrame, version: int) -> pl.DataFrame:
    """The earliest writes with the tools and for the causes of these: `cause_id`, `tool_name`, `at`, and what _MEMBER names."""
    return _remember(store, CAUSE_WRITES, _writes(actions), _writes(before), version)


def _writes(actions: pl.DataFrame) -> pl.DataFrame:
    # A declared execution may be the work of several agents; only a request is for one to carry out.
    writes = _plain(actions).filter(pl.col("side_effect").is_in(WRITES), pl.col("is_error").not_())
    return writes.filter(pl.col("cause_id").str.starts_with("ask:"))


def failures(
    store: Store, actions: pl.DataFrame, before: pl.DataFrame, version: int, since: baselines.Since | None = None
) -> pl.DataFrame:
    """The earliest failures of the same tools in the same way within the same minutes: `tool_name`, `error_type`, `bucket`, `at`
    and what _MEMBER names.
    """
    return _remember(store, FAILURES, _failed(actions), _failed(before), version, since)


def _failed(actions: pl.DataFrame) -> pl.DataFrame:
    failed = _plain(actions).filter("is_error", pl.col("signature").is_not_null())
    return failed.with_columns(pl.col("start_time").dt.truncate(BUCKET).dt.to_string("%Y-%m-%d %H:%M").alias("bucket"))


def _plain(actions: pl.DataFrame) -> pl.DataFrame:
    done = actions.filter(pl.col("role") == "action", "is_settled", pl.col("tool_name").is_not_null())
    return done.filter(pl.col("is_replayed").fill_null(False).not_())


def _remember(
    store: Store, memory: baselines.Memory, now: pl.DataFrame, before: pl.DataFrame, version: int, since: baselines.Since | None = None,
) -> pl.DataFrame:
    known = baselines.remember(store, memory, _members(now), version, _members(before), since)
    told = pl.col(_MEMBER)
    return baselines.unpacked(known.drop("value"), _MEMBER).with_columns(pl.when(told != "").then(told).name.keep())


def _members(actions: pl.DataFrame) -> pl.DataFrame:
    return actions.with_columns(baselines.packed(_MEMBER), pl.col("start_time").alias("at"), pl.lit(0.0).alias("value"))


def later_workers(ours: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Where a cause was handled later than in the traces `ours`: `trace_id`, `start_time`."""
    mine = known.join(ours, on="trace_id", how="semi").group_by("cause_id", "tool_name").agg(pl.col("at").min().alias("first_at"))
    later = known.join(mine, on=["cause_id", "tool_name"]).filter(pl.col("at") > pl.col("first_at"))
    return later.select("trace_id", pl.col("at").alias("start_time"))
