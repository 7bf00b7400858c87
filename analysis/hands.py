"""Control that agents pass on to each other, across traces, with what was done before it went on."""

from __future__ import annotations

from typing import Any

import polars as pl

from actorscope.analysis.baselines import Memory, remember
from actorscope.analysis.detector import WRITES
from actorscope.ingest.store.client import Store

HAND_OFFS = Memory("hand_offs", ("thread",), 64, "latest")
HAND: Any = {
    "thread": pl.String, "trace_id": pl.String, "span_id": pl.String, "delegator_id": pl.String, "delegate_id": pl.String,
    "delegator_name": pl.String, "delegate_name": pl.String, "basis": pl.String, "asked": pl.String, "work": pl.String,
    "at": pl.Datetime("ns", "UTC"),
}  # fmt: skip
"""Columns of a hand-off. `thread` is the conversation, else the cause. `asked` is the cause where a person asked for it.
`work` is what the agent did that got control: `write`, a digest of its actions, or empty."""
_JOIN = "\x1e"
_KEPT = ["trace_id", "span_id", "delegator_id", "delegate_id", "delegator_name", "delegate_name", "basis", "asked", "work"]


def hand_offs(store: Store, steps: pl.DataFrame, edges: pl.DataFrame, version: int) -> pl.DataFrame:
    """The latest hand-offs of every thread to which `edges` of these woven steps belong, with the columns HAND."""
    fresh = _members(steps, edges)
    if fresh.is_empty():
        return pl.DataFrame(schema=HAND)
    # What was noted of the same traces before may have looked different.
    known = store.named("baselines", memory=HAND_OFFS.name, keys=fresh["thread"].unique().sort().to_list())
    ours = pl.col("trace_id").str.split(_JOIN).list.first().is_in(steps["trace_id"].unique().implode())
    before = known.filter(ours).rename({"key": "thread"}).select(fresh.columns).cast(fresh.schema)
    members = remember(store, HAND_OFFS, fresh, version, before)
    parts = pl.col("trace_id").str.split(_JOIN)
    return members.with_columns(parts.list.get(i, null_on_oob=True).alias(c) for i, c in enumerate(_KEPT)).select(*HAND).cast(HAND)


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
        pl.concat_str([pl.col(c).fill_null("") for c in _KEPT], separator=_JOIN).alias("trace_id"),
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
