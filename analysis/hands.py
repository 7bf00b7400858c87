"""Control that agents pass on to each other, across traces, with what was done before it went on."""

from __future__ import annotations

from typing import Any

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.detector import WRITES
from actorscope.ingest.store.client import Store

HAND_OFFS = baselines.Memory("hand_offs", ("thread",), 64, "latest")
HAND: Any = {
    "thread": pl.String, "trace_id": pl.String, "span_id": pl.String, "delegator_id": pl.String, "delegate_id": pl.String,
    "delegator_name": pl.String, "delegate_name": pl.String, "basis": pl.String, "asked": pl.String, "work": pl.String,
    "at": pl.Datetime("ns", "UTC"),
}  # fmt: skip
"""Columns of a hand-off. `thread` is the conversation, else the cause. `asked` is the cause where a person asked for it.
`work` is what the agent did that got control: `write`, a digest of its actions, or empty."""
_KEPT = ["trace_id", "span_id", "delegator_id", "delegate_id", "delegator_name", "delegate_name", "basis", "asked", "work"]


def hand_offs(store: Store, steps: pl.DataFrame, edges: pl.DataFrame, version: int, since: baselines.Since | None = None) -> pl.DataFrame:
    """The latest hand-offs of every thread to which `edges` of these woven steps belong, with the columns HAND."""
    fresh = _members(steps, edges)
    if fresh.is_empty():
        return pl.DataFrame(schema=HAND)
    members = baselines.renew(store, HAND_OFFS, fresh, _KEPT, steps["trace_id"], version, since)
    return baselines.unpacked(members, _KEPT).select(*HAND).cast(HAND)


def _members(steps: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    is_other = (pl.col("delegate_id") != pl.col("delegator_id")).fill_null(False)
    passed = edges.filter(pl.col("mode").is_in(["pass_control", "detached"]), is_other)
    if passed.is_empty():
        return pl.DataFrame(schema={"thread": pl.String, "at": HAND["at"], "trace_id": pl.String, "value": pl.Float64})
    asked = pl.when(pl.col("trigger") == "user").then("cause_id").alias("asked")
    place = steps.filter("is_settled").select("trace_id", "span_id", pl.coalesce("conversation_id", "cause_id").alias("thread"), asked)
    passed = passed.join(place, on=["trace_id", "span_id"]).join(_work(steps), on=["trace_id", "delegate_span_id"], how="left")
    passed = passed.filter(pl.col("thread").fill_null("") != "")
    return passed.select(
        "thread",
        pl.col("start_time").alias("at"),
        baselines.packed(_KEPT),
        pl.lit(0.0).alias("value"),
    )


def _work(steps: pl.DataFrame) -> pl.DataFrame:
    """By run, what it did itself and successfully."""
    is_done = (pl.col("role") == "action") & pl.col("is_error").not_() & pl.col("is_replayed").not_()
    done = steps.filter(is_done, pl.col("run_span_id").is_not_null())
    signature = pl.coalesce("signature", "tool_name").fill_null("")
    works = done.group_by("trace_id", pl.col("run_span_id").alias("delegate_span_id")).agg(
        pl.col("side_effect").is_in(WRITES).any().alias("wrote"), signature.unique().sort().alias("signatures")
    )
    digest = pl.col("signatures").list.join("\x1f").hash(11).cast(pl.String)
    return works.select("trace_id", "delegate_span_id", pl.when("wrote").then(pl.lit("write")).otherwise(digest).alias("work"))
