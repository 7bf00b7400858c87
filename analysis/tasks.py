"""What agents asked of each other more than once in a trace, with what they got for an answer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.ingest.store.client import Store

TASK: Any = {
    "trace_id": pl.String,
    "span_id": pl.String,
    "delegator_id": pl.String,
    "delegator_name": pl.String,
    "delegate_id": pl.String,
    "delegate_name": pl.String,
    "basis": pl.String,
    "start_time": pl.Datetime("ns", "UTC"),
    "end_time": pl.Datetime("ns", "UTC"),
    "cost_usd": pl.Float64,
    "request": pl.String,
    "reply": pl.String,
}
"""Columns of a task. `span_id` is the run that got it; `reply` is empty text when it gave none."""
_MOST = 50
"""Tasks of one pair of agents in one trace that are compared: the latest."""
_SHORT = timedelta(seconds=1)


def tasks(store: Store, runs: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """The tasks of pairs of agents that stand in `edges` twice or more in a trace, one row per task."""
    pair = ["trace_id", "delegator_id", "delegate_id"]
    given = edges.filter(pl.col("delegator_id") != pl.col("delegate_id"), pl.col("delegate_span_id").is_not_null())
    given = given.filter(pl.len().over(pair) > 1).select(
        *pair, "delegator_name", "delegate_name", "basis", pl.col("span_id").alias("act"), span_id="delegate_span_id"
    )
    of_runs = runs.select("trace_id", "span_id", "start_time", "end_time", "request", pl.col("run_cost_usd").alias("cost_usd"))
    given = given.unique(["trace_id", "span_id"], keep="first", maintain_order=True).join(of_runs, on=["trace_id", "span_id"])
    given = given.filter(pl.col("request").is_not_null()).sort("start_time", "span_id")
    given = given.group_by(pair, maintain_order=True).tail(_MOST)
    given = given.filter(pl.len().over(pair) > 1)
    if given.is_empty():
        return pl.DataFrame(schema=TASK)
    said = _said(store, given)
    place = ["trace_id", "span_id"]
    by_act = said.rename({"span_id": "act", "reply": "by_act"})
    given = given.join(said, on=place, how="left").join(by_act, on=["trace_id", "act"], how="left")
    reply = pl.when(pl.col("reply") != "").then("reply").otherwise("by_act").fill_null("")
    return given.with_columns(reply.alias("reply")).select(*TASK).cast(TASK)


def _said(store: Store, given: pl.DataFrame) -> pl.DataFrame:
    spans = pl.concat([given["span_id"], given["act"]]).unique().sort()
    low, high = given.select(low=pl.col("start_time").min(), high=pl.col("end_time").max()).row(0)
    # The call that started a run began before it, how long before is not known here.
    found = store.named(
        "replies", traces=given["trace_id"].unique().sort().to_list(), spans=spans.to_list(),
        **{"from": low - timedelta(hours=1), "to": high + _SHORT},
    )  # fmt: skip
    texts = [plain(text) for text in found["reply"]]
    return found.with_columns(pl.Series("reply", texts, pl.String))


def plain(text: str) -> str:
    """The words of an answer that may be wrapped in messages and parts."""
    try:
        found = _words(json.loads(text)) if text[:1] in "[{" else text
    except (ValueError, RecursionError):
        found = text
    return found.strip()


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        return next((_words(value[key]) for key in ("parts", "content", "text", "output", "result") if value.get(key)), "")
    return ""
