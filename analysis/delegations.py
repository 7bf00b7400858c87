"""Acts of delegation and hand-off, from what was declared, from nesting, and from hand-off spans; one edge for one act."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis.asked import asked, hand_offs
from actorscope.analysis.identity import named, slug
from actorscope.analysis.paths import above, flag, parent_rows
from actorscope.ingest import handoffs

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
    # An agent below the one that hands it work by a tool beside it: the tool call is the act.
    bare = pl.col("span_id") == pl.col("delegate_span_id")
    again = nested.filter(bare).join(_reached(handed), on=["trace_id", "delegate_span_id"], how="semi")
    nested = nested.join(again, on=["trace_id", "span_id", "delegate_span_id"], how="anti")
    known = pl.concat([nested, handed])
    for more in (_messages, _beside, _declared, _in_turn):
        known = pl.concat([known, more(steps, known)])
    return known.sort("trace_id", "start_time", "span_id", "delegate_span_id")


def _nested(steps: pl.DataFrame) -> pl.DataFrame:
    """A run inside a run: the outer agent delegated, through the innermost tool call between them when there is one.

    A run that is resumed is the old one, and one tool call is one act also when it runs the same agent again.
    """
    parent = parent_rows(steps)
    is_tool = flag(pl.col("role").is_in(["action", "echo"]) & (pl.col("operation") == "execute_tool"), steps)
    is_run = flag(pl.col("is_run"), steps)
    tool, run = above(is_tool, parent), above(is_run, parent)
    n = steps.height
    rows = np.flatnonzero(is_run & (run < n))
    tool_run = np.append(above(is_run, parent), n)[tool[rows]]
    through = np.where((tool[rows] < n) & (tool_run == run[rows]), tool[rows], rows)
    runs, acts = steps[rows.tolist()], steps[through.tolist()]
    said_by_act = pl.select(pl.when(pl.Series(through != rows)).then(acts["delegation_mode"])).to_series()
    says = pl.coalesce("delegator_id", "delegator_name", "delegation_id").is_not_null()
    named = acts.select(pl.col("delegate_name").is_not_null()).to_series() | runs.select(says).to_series()
    official = runs["operation_basis"].is_in(["declared", "derived"])
    basis = pl.select(
        pl.when(named).then(pl.lit("declared")).when(official).then(pl.lit("derived")).otherwise(pl.lit("inferred"))
    ).to_series()
    edges = runs.select(
        "trace_id",
        acts["span_id"],
        pl.col("span_id").alias("delegate_span_id"),
        pl.col("caller_id").alias("delegator_id"),
        pl.col("caller_name").alias("delegator_name"),
        pl.col("actor_id").alias("delegate_id"),
        pl.col("actor_name").alias("delegate_name"),
        pl.coalesce(pl.when(says).then("delegation_mode"), said_by_act, pl.lit("return_to_caller")).alias("mode"),
        acts["start_time"],
        basis.alias("basis"),
        (pl.col("trigger_said") == "resume").fill_null(False).alias("is_resumed"),
        pl.col("start_time").alias("run_start"),
    )
    edges = edges.filter(pl.col("is_resumed").not_()).sort("run_start", "delegate_span_id")
    edges = edges.unique(["trace_id", "span_id", "delegate_id"], keep="first", maintain_order=True)
    return edges.drop("is_resumed", "run_start").cast(EDGE)


_HAND: Any = {
    "trace_id": pl.String, "span_id": pl.String, "run_span_id": pl.String, "actor_id": pl.String, "actor_name": pl.String,
    "from_name": pl.String, "delegate_name": pl.String, "mode": pl.String, "service_name": pl.String,
    "hand_time": pl.Datetime("ns", "UTC"), "basis": pl.String,
}  # fmt: skip


def _handed_over(steps: pl.DataFrame, nested: pl.DataFrame) -> pl.DataFrame:
    """Hand-off spans, hand-off tools, and calls of such tools that no span carried out: control passes to the next run
    of the named agent in the trace, or where no name is given to the next run of another one.
    """
    gives = pl.col("delegate_name").is_not_null() | (handoffs.mode(pl.col("tool_name")) == "pass_control")
    is_hand = (pl.col("role") == "handoff") | ((pl.col("role") == "action") & gives.fill_null(False))
    spans = steps.filter(is_hand, pl.col("actor_kind") != "service").join(
        nested, on=["trace_id", "span_id"], how="anti"
    )
    stated = pl.col("delegate_name").is_not_null() & (pl.col("role") == "handoff")
    hands = spans.select(
        "trace_id", "span_id", "run_span_id", "actor_id", "actor_name",
        pl.coalesce("delegator_name", "actor_name").alias("from_name"), "delegate_name",
        pl.coalesce("delegation_mode", pl.lit("pass_control")).alias("mode"), "service_name",
        pl.col("start_time").alias("hand_time"),
        pl.when(stated).then(pl.lit("declared")).otherwise(pl.lit("inferred")).alias("basis"),
    )  # fmt: skip
    quiet = hand_offs(steps, asked(steps)).select(
        "trace_id", pl.col("asker_span_id").alias("span_id"), "run_span_id", "actor_id", "actor_name",
        pl.col("actor_name").alias("from_name"), "delegate_name", "mode", "service_name",
        pl.col("asked_at").alias("hand_time"), pl.lit("inferred").alias("basis"),
    )  # fmt: skip
    hands = pl.concat([hands.cast(_HAND), quiet.cast(_HAND)])
    edges = hands.join(_next_runs(hands, steps), on=["trace_id", "span_id"], how="left", maintain_order="left")
    # Work that comes back was refused when nobody did it; work that is passed on may go to another trace.
    was_done = pl.col("run_id").is_not_null() | (pl.col("mode") != "return_to_caller")
    edges = edges.filter(pl.coalesce("delegate_name", "run_actor_name").is_not_null(), was_done)
    other = pl.coalesce("run_actor_id", named(pl.col("delegate_name")))
    return edges.select(
        "trace_id",
        "span_id",
        pl.col("run_id").alias("delegate_span_id"),
        pl.when(slug(pl.col("from_name")) == slug(pl.col("actor_name")))
        .then("actor_id")
        .otherwise(pl.coalesce(named(pl.col("from_name")), "actor_id"))
        .alias("delegator_id"),
        pl.col("from_name").alias("delegator_name"),
        other.alias("delegate_id"),
        pl.coalesce("run_actor_name", "delegate_name").alias("delegate_name"),
        "mode",
        pl.col("hand_time").alias("start_time"),
        "basis",
    ).cast(EDGE)


def _next_runs(hands: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """For each hand-off the run that took over, each run for one hand-off at most."""
    runs = steps.filter("is_run").select(
        "trace_id",
        "start_time",
        pl.col("span_id").alias("run_id"),
        pl.col("actor_id").alias("run_actor_id"),
        pl.col("actor_name").alias("run_actor_name"),
    )
    candidates = hands.select("trace_id", "span_id", "delegate_name", "from_name", "hand_time", own_run="run_span_id")
    candidates = candidates.join(runs, on="trace_id")
    follows = (pl.col("start_time") >= pl.col("hand_time")) & (pl.col("run_id") != pl.col("own_run").fill_null(""))
    ran = slug(pl.col("run_actor_name"))
    fits = pl.col("delegate_name").is_null() & (ran != slug(pl.col("from_name")))
    fits = fits | (ran == slug(pl.col("delegate_name")))
    return (
        candidates.filter(follows & fits.fill_null(False))
        .sort("start_time", "run_id", "hand_time", "span_id")
        .unique(["trace_id", "span_id"], keep="first", maintain_order=True)
        .unique(["trace_id", "run_id"], keep="last", maintain_order=True)
        .select("trace_id", "span_id", "run_id", "run_actor_id", "run_actor_name")
    )


def _messages(steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """A message from one agent to another, after which the other ran: work was passed on, unless an edge says so already."""
    sent = steps.filter(
        pl.col("role") == "message", pl.col("delegator_name").is_not_null(), pl.col("delegate_name").is_not_null()
    )
    if sent.is_empty():
        return known.clear()
    hands = sent.with_columns(
        pl.col("delegator_name").alias("from_name"),
        pl.col("start_time").alias("hand_time"),
        pl.lit(None, pl.String).alias("run_span_id"),
    )
    hands = hands.select("trace_id", "span_id", "delegate_name", "from_name", "hand_time", "run_span_id")
    agents = steps.filter("is_run").select(
        "trace_id", slug(pl.col("actor_name")).alias("from_slug"), pl.col("actor_id").alias("delegator_id")
    )
    agents = agents.unique(["trace_id", "from_slug"], keep="first", maintain_order=True)
    hands = hands.with_columns(slug(pl.col("from_name")).alias("from_slug")).join(agents, on=["trace_id", "from_slug"])
    edges = hands.join(_next_runs(hands, steps), on=["trace_id", "span_id"])
    edges = edges.select(
        "trace_id", "span_id", pl.col("run_id").alias("delegate_span_id"), "delegator_id", pl.col("from_name").alias("delegator_name"),
        pl.col("run_actor_id").alias("delegate_id"), pl.col("run_actor_name").alias("delegate_name"),
        pl.lit("pass_control").alias("mode"), pl.col("hand_time").alias("start_time"), pl.lit("derived").alias("basis"),
    )  # fmt: skip
    return edges.cast(EDGE).join(_reached(known), on=["trace_id", "delegate_span_id"], how="anti")


def _reached(known: pl.DataFrame) -> pl.DataFrame:
    return known.filter(pl.col("delegate_span_id").is_not_null()).select("trace_id", "delegate_span_id").unique()


def _beside(steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """A tool that carries the name of an agent, while that agent ran beside it and not below: the tool called it."""
    tools = steps.filter(pl.col("role") == "action", pl.col("tool_name").is_not_null()).join(
        known, on=["trace_id", "span_id"], how="anti"
    )
    runs = steps.filter("is_run", pl.col("caller_id").is_null()).select(
        "trace_id", pl.col("span_id").alias("delegate_span_id"), pl.col("actor_id").alias("delegate_id"),
        pl.col("actor_name").alias("delegate_name"), pl.col("start_time").alias("began"), pl.col("end_time").alias("ended"),
    )  # fmt: skip
    runs = runs.join(_reached(known), on=["trace_id", "delegate_span_id"], how="anti")
    tools = tools.select("trace_id", "span_id", "tool_name", "actor_id", "actor_name", "start_time", "end_time")
    pairs = tools.join(runs, on="trace_id").filter(
        pl.col("began") >= pl.col("start_time"),
        pl.col("ended") <= pl.col("end_time"),
        slug(pl.col("tool_name")).str.contains(slug(pl.col("delegate_name")), literal=True),
        pl.col("actor_id").is_not_null() & (pl.col("actor_id") != pl.col("delegate_id")),
    )
    pairs = pairs.sort("began", "delegate_span_id").unique(["trace_id", "span_id"], keep="first", maintain_order=True)
    return pairs.select(
        "trace_id", "span_id", "delegate_span_id", pl.col("actor_id").alias("delegator_id"),
        pl.col("actor_name").alias("delegator_name"), "delegate_id", "delegate_name",
        pl.lit("return_to_caller").alias("mode"), "start_time", pl.lit("inferred").alias("basis"),
    ).cast(EDGE)  # fmt: skip


def _declared(steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Runs that state who delegated to them and have no edge yet: a person, a schedule, an agent elsewhere."""
    runs = steps.filter("is_run", pl.coalesce("delegator_id", "delegator_name").is_not_null())
    runs = runs.filter((pl.col("trigger_said") == "resume").fill_null(False).not_())
    runs = runs.join(
        _reached(known), left_on=["trace_id", "span_id"], right_on=["trace_id", "delegate_span_id"], how="anti"
    )
    return runs.select(
        "trace_id",
        "span_id",
        pl.col("span_id").alias("delegate_span_id"),
        pl.coalesce("delegator_id", named(pl.col("delegator_name"))).alias("delegator_id"),
        pl.coalesce("delegator_name", "delegator_id").alias("delegator_name"),
        pl.col("actor_id").alias("delegate_id"),
        pl.col("actor_name").alias("delegate_name"),
        pl.coalesce("delegation_mode", pl.lit("")).alias("mode"),
        "start_time",
        pl.lit("declared").alias("basis"),
    ).cast(EDGE)


def _in_turn(steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Agents that ran one after the other below the same span, in a framework where that means a hand-off."""
    runs = steps.filter("is_run", pl.col("caller_id").is_null(), pl.col("parent_span_id").is_not_null())
    order = ["trace_id", "parent_span_id"]
    before = pl.col("span_id", "actor_id", "actor_name", "end_time").shift(1).over(order).name.prefix("before_")
    runs = runs.sort(*order, "start_time", "span_id").with_columns(before)
    runs = runs.filter(
        pl.col("delegation_mode") == "pass_control",
        pl.col("before_actor_id") != pl.col("actor_id"),
        pl.col("before_end_time") <= pl.col("start_time"),
    ).join(_reached(known), left_on=["trace_id", "span_id"], right_on=["trace_id", "delegate_span_id"], how="anti")
    return runs.select(
        "trace_id", pl.col("before_span_id").alias("span_id"), pl.col("span_id").alias("delegate_span_id"),
        pl.col("before_actor_id").alias("delegator_id"), pl.col("before_actor_name").alias("delegator_name"),
        pl.col("actor_id").alias("delegate_id"), pl.col("actor_name").alias("delegate_name"),
        pl.lit("pass_control").alias("mode"), pl.col("before_end_time").alias("start_time"), pl.lit("inferred").alias("basis"),
    ).cast(EDGE)  # fmt: skip
