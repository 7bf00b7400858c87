"""Acts of delegation and hand-off, from what was declared, from nesting, and from hand-off spans; one edge for one act."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis.paths import above, parent_rows

EDGE: Any = {
    "trace_id": pl.String,
    "span_id": pl.String,
    "delegate_span_id": pl.String,
    "delegator_id": pl.String,
    "delegator_name": pl.String,
    "delegate_id": pl.String,
    "delegate_name": pl.String,
    "mode": pl.String,
    "start_time": pl.Datetime("ns", "UTC"),
    "basis": pl.String,
}
"""Columns of an edge. `span_id` is the act (a tool call, a hand-off, else the delegate's run)."""


def delegations(steps: pl.DataFrame) -> pl.DataFrame:
    """The edges of woven spans (see `weave`), with the columns EDGE.

    Basis: declared when an attribute names the other side, derived when official agent spans are nested,
    inferred when names or order had to be read.
    """
    nested = _nested(steps)
    handed = _handed_over(steps, nested)
    declared = _declared(steps, pl.concat([nested, handed]))
    return pl.concat([nested, handed, declared]).sort("trace_id", "start_time", "span_id")


def _nested(steps: pl.DataFrame) -> pl.DataFrame:
    """A run inside a run: the outer agent delegated, through the innermost tool call between them when there is one."""
    parent = parent_rows(steps)
    is_tool = np.asarray((steps["role"] == "action").to_numpy(), dtype=np.bool_)
    is_run = np.asarray(steps["is_run"].to_numpy(), dtype=np.bool_)
    tool, run = above(is_tool, parent), above(is_run, parent)
    n = steps.height
    rows = np.flatnonzero(is_run & (run < n))
    tool_run = np.append(above(is_run, parent), n)[tool[rows]]
    through = np.where((tool[rows] < n) & (tool_run == run[rows]), tool[rows], rows)
    runs, acts = steps[rows.tolist()], steps[through.tolist()]
    says = pl.coalesce("delegator_id", "delegator_name", "delegation_id").is_not_null()
    named = acts.select(pl.col("delegate_name").is_not_null()).to_series() | runs.select(says).to_series()
    official = runs["operation_basis"].is_in(["declared", "derived"])
    basis = pl.select(
        pl.when(named).then(pl.lit("declared")).when(official).then(pl.lit("derived")).otherwise(pl.lit("inferred"))
    ).to_series()
    return runs.select(
        "trace_id",
        acts["span_id"],
        pl.col("span_id").alias("delegate_span_id"),
        pl.col("caller_id").alias("delegator_id"),
        pl.col("caller_name").alias("delegator_name"),
        pl.col("actor_id").alias("delegate_id"),
        pl.col("actor_name").alias("delegate_name"),
        pl.coalesce("delegation_mode", pl.lit("return_to_caller")).alias("mode"),
        acts["start_time"],
        basis.alias("basis"),
    ).cast(EDGE)


def _handed_over(steps: pl.DataFrame, nested: pl.DataFrame) -> pl.DataFrame:
    """Hand-off spans and tools that name their target: control passes to the next run of that agent in the trace."""
    hands = steps.filter(
        (pl.col("role") == "handoff") | ((pl.col("role") == "action") & pl.col("delegate_name").is_not_null())
    ).join(nested, on=["trace_id", "span_id"], how="anti")
    runs = steps.filter("is_run").select(
        "trace_id",
        "start_time",
        pl.col("span_id").alias("run_id"),
        pl.col("actor_id").alias("run_actor_id"),
        pl.col("actor_name").alias("run_actor_name"),
        "parent_run_span_id",
        "run_span_id",
    )
    hands = hands.with_columns(
        pl.coalesce("delegator_name", "actor_name").alias("from_name"), pl.col("start_time").alias("hand_time")
    )
    candidates = hands.select(
        "trace_id", "span_id", "delegate_name", "from_name", "hand_time", own_run="run_span_id"
    ).join(runs, on="trace_id", suffix="_r")
    follows = (pl.col("start_time") >= pl.col("hand_time")) & (pl.col("run_id") != pl.col("own_run").fill_null(""))
    fits = pl.col("delegate_name").is_null() & (pl.col("run_actor_name") != pl.col("from_name"))
    fits = fits | (pl.col("run_actor_name") == pl.col("delegate_name"))
    targets = (
        candidates.filter(follows & fits.fill_null(False))
        .sort("start_time", "run_id", "hand_time", "span_id")
        .unique(["trace_id", "span_id"], keep="first", maintain_order=True)
        .unique(["trace_id", "run_id"], keep="last", maintain_order=True)
        .select("trace_id", "span_id", "run_id", "run_actor_id", "run_actor_name")
    )
    edges = hands.join(targets, on=["trace_id", "span_id"], how="left", maintain_order="left")
    edges = edges.filter(pl.coalesce("delegate_name", "run_actor_name").is_not_null())
    stated = pl.col("delegate_name").is_not_null()
    return (
        edges.select(
            "trace_id",
            "span_id",
            pl.col("run_id").alias("delegate_span_id"),
            pl.col("actor_id").alias("delegator_id"),
            pl.col("from_name").alias("delegator_name"),
            pl.coalesce("run_actor_id", pl.format("{}/{}", "service_name", "delegate_name")).alias("delegate_id"),
            pl.coalesce("run_actor_name", "delegate_name").alias("delegate_name"),
            pl.coalesce("delegation_mode", pl.lit("pass_control")).alias("mode"),
            "hand_time",
            pl.when(stated & (pl.col("role") == "handoff"))
            .then(pl.lit("declared"))
            .otherwise(pl.lit("inferred"))
            .alias("basis"),
        )
        .rename({"hand_time": "start_time"})
        .cast(EDGE)
    )


def _declared(steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Runs that state who delegated to them and have no edge yet: a person, a schedule, an agent elsewhere."""
    runs = steps.filter("is_run", pl.coalesce("delegator_id", "delegator_name").is_not_null())
    runs = runs.join(
        known.filter(pl.col("delegate_span_id").is_not_null()),
        left_on=["trace_id", "span_id"],
        right_on=["trace_id", "delegate_span_id"],
        how="anti",
    )
    return runs.select(
        "trace_id",
        "span_id",
        pl.col("span_id").alias("delegate_span_id"),
        pl.coalesce("delegator_id", pl.format("{}/{}", "service_name", "delegator_name")).alias("delegator_id"),
        pl.coalesce("delegator_name", "delegator_id").alias("delegator_name"),
        pl.col("actor_id").alias("delegate_id"),
        pl.col("actor_name").alias("delegate_name"),
        pl.coalesce("delegation_mode", pl.lit("")).alias("mode"),
        "start_time",
        pl.lit("declared").alias("basis"),
    ).cast(EDGE)
