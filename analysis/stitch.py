"""Work that goes on in another trace: which traces belong together, and the delegations between them."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from actorscope.analysis.delegations import EDGE
from actorscope.analysis.identity import slug
from actorscope.analysis.paths import flag, nearest, parent_rows, take

_REACH = timedelta(days=1)


def keys(steps: pl.DataFrame) -> list[str]:
    """What traces that belong to these have in common with them, as the table `stitches` spells it."""
    is_run = pl.col("operation") == "invoke_agent"
    gives = (pl.col("operation") == "handoff") | pl.coalesce("delegate_name", "delegation_mode").is_not_null()
    spelled = [
        pl.format("delegation {}", "delegation_id"),
        # What a delegation rests on, and what rests on it, may stand in another trace.
        pl.format("delegation {}", "delegation_parent_id"),
        pl.format("under {}", "delegation_id"),
        pl.format("task {}", "task_id"),
        pl.when(is_run | gives).then(pl.format("conversation {}", "conversation_id")),
        pl.format("trace {}", "trace_id"),
    ]
    return _distinct(steps, spelled)


def waiting(steps: pl.DataFrame) -> tuple[list[str], list[str]]:
    """The calls in these that may have waited in another trace: the keys of their services, to ask whether any call of
    these waits, and their own.
    """
    done = steps.filter(
        pl.col("operation") == "execute_tool", pl.col("has_result"), pl.col("side_effect").fill_null("") != "read"
    )
    service = pl.format("bare {}", pl.col("service_name").fill_null(""))
    own = pl.format("{} {} {}", service, "tool_name", pl.coalesce("tool_call_id", "input_digest"))
    return _distinct(done, [service]), _distinct(done, [own])


def _distinct(steps: pl.DataFrame, spelled: list[pl.Expr]) -> list[str]:
    found = pl.concat([steps.select(key.alias("key")) for key in spelled])
    return found["key"].drop_nulls().unique().sort().to_list()


def linked(steps: pl.DataFrame) -> set[str]:
    """The traces that spans of these link to."""
    return set(_links(steps)["to_trace"])


def _links(steps: pl.DataFrame) -> pl.DataFrame:
    """One row per span link: trace_id, span_id, to_trace, to_span."""
    linked = steps.filter(pl.col("link_trace_ids").list.len() > 0)
    linked = linked.select(
        "trace_id", "span_id", pl.col("link_trace_ids").alias("to_trace"), pl.col("link_span_ids").alias("to_span")
    )
    schema = {"trace_id": pl.String, "span_id": pl.String, "to_trace": pl.String, "to_span": pl.String}
    return linked.explode("to_trace", "to_span") if linked.height else pl.DataFrame(schema=schema)


def stitch(steps: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """`edges` with those between traces: by delegation id, by task id, by span link, and named hand-offs of a conversation
    whose target ran in another trace.
    """
    edges = _resolved(steps, edges)
    for found in (_by_id(steps, "delegation_id", "declared"), _by_id(steps, "task_id", "derived"), _by_link(steps)):
        reached = edges.filter(pl.col("delegate_span_id").is_not_null()).select("delegate_id", "delegate_span_id")
        edges = pl.concat([edges, found.join(reached, on=["delegate_id", "delegate_span_id"], how="anti")])
    return edges.sort("trace_id", "start_time", "span_id", "delegate_span_id")


def _open_runs(steps: pl.DataFrame) -> pl.DataFrame:
    """Runs without a caller in their own trace."""
    runs = steps.filter(pl.col("is_run"), pl.col("caller_id").is_null(), pl.col("actor_id").is_not_null())
    return runs.select(
        *("delegation_id", "task_id", "conversation_id"),
        pl.col("trace_id").alias("run_trace"),
        pl.col("span_id").alias("delegate_span_id"),
        pl.col("actor_id").alias("delegate_id"),
        pl.col("actor_name").alias("delegate_name"),
        pl.col("start_time").alias("began"),
    )


def _by_id(steps: pl.DataFrame, key: str, basis: str) -> pl.DataFrame:
    """An act and a run in different traces that carry the same id."""
    acts = steps.filter(pl.col(key).is_not_null(), pl.col("actor_id").is_not_null())
    acts = acts.select(
        key, "trace_id", "span_id", "start_time",
        pl.col("actor_id").alias("delegator_id"), pl.col("actor_name").alias("delegator_name"), pl.col("delegation_mode").alias("mode"),
    )  # fmt: skip
    pairs = acts.join(_open_runs(steps).filter(pl.col(key).is_not_null()), on=key).filter(
        pl.col("run_trace") != pl.col("trace_id"),
        pl.col("delegator_id") != pl.col("delegate_id"),
        pl.col("start_time") <= pl.col("began"),
    )
    return _edges(pairs.sort("start_time", "trace_id", "span_id", descending=[True, False, False]), basis, "detached")


def _by_link(steps: pl.DataFrame) -> pl.DataFrame:
    """A run at or below a span that links to the work of another agent in another trace."""
    links = _links(steps)
    if links.is_empty():
        return pl.DataFrame(schema=EDGE)
    parent = parent_rows(steps)
    linked = flag(pl.col("link_trace_ids").list.len() > 0, steps)
    from_span = take(steps["span_id"], nearest(linked, parent)).alias("link_span")
    runs = steps.with_columns(from_span)
    runs = _open_runs(runs).join(
        runs.select(pl.col("trace_id").alias("run_trace"), pl.col("span_id").alias("delegate_span_id"), "link_span"),
        on=["run_trace", "delegate_span_id"],
    )
    pairs = runs.join(links, left_on=["run_trace", "link_span"], right_on=["trace_id", "span_id"])
    acts = steps.filter(pl.col("actor_id").is_not_null()).select(
        pl.col("trace_id").alias("to_trace"), pl.col("span_id").alias("to_span"), "start_time",
        pl.col("actor_id").alias("delegator_id"), pl.col("actor_name").alias("delegator_name"), pl.col("delegation_mode").alias("mode"),
    )  # fmt: skip
    pairs = pairs.join(acts, on=["to_trace", "to_span"]).filter(
        pl.col("to_trace") != pl.col("run_trace"), pl.col("delegator_id") != pl.col("delegate_id")
    )
    pairs = pairs.rename({"to_trace": "trace_id", "to_span": "span_id"})
    return _edges(pairs.sort("start_time", "trace_id", "span_id"), "derived", "detached")


def _edges(pairs: pl.DataFrame, basis: str, mode: str) -> pl.DataFrame:
    """The first pair of each run as an edge."""
    pairs = pairs.unique(["run_trace", "delegate_span_id"], keep="first", maintain_order=True)
    return (
        pairs.with_columns(pl.coalesce("mode", pl.lit(mode)).alias("mode"), pl.lit(basis).alias("basis"))
        .select(list(EDGE))
        .cast(EDGE)
    )


def _resolved(steps: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Hand-offs to a named agent that did not run in the trace, with the next run of it in the same conversation."""
    edges = edges.with_row_index("edge")
    open_ends = edges.filter(pl.col("delegate_span_id").is_null() | (pl.col("delegate_span_id") == ""))
    conversations = steps.select("trace_id", "span_id", "conversation_id")
    open_ends = open_ends.join(conversations, on=["trace_id", "span_id"]).filter(
        pl.col("conversation_id").is_not_null()
    )
    runs = _open_runs(steps).filter(pl.col("conversation_id").is_not_null())
    runs = runs.select(
        "conversation_id",
        "run_trace",
        "began",
        pl.col("delegate_span_id").alias("ran"),
        pl.col("delegate_id").alias("ran_id"),
        slug(pl.col("delegate_name")).alias("slug"),
    )
    pairs = open_ends.with_columns(slug(pl.col("delegate_name")).alias("slug")).join(
        runs, on=["conversation_id", "slug"]
    )
    pairs = pairs.filter(
        pl.col("run_trace") != pl.col("trace_id"),
        pl.col("began").is_between(pl.col("start_time"), pl.col("start_time") + _REACH),
    )
    pairs = (
        pairs.sort("began", "ran", "start_time", "span_id")
        .unique("edge", keep="first", maintain_order=True)
        .unique("ran", keep="last", maintain_order=True)
    )
    edges = edges.join(pairs.select("edge", "ran", "ran_id"), on="edge", how="left", maintain_order="left")
    return edges.with_columns(
        pl.coalesce("ran", "delegate_span_id").alias("delegate_span_id"),
        pl.coalesce("ran_id", "delegate_id").alias("delegate_id"),
    ).drop("edge", "ran", "ran_id")


def callers(steps: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """`steps` in which runs without an agent above them have as caller the one that handed them the work."""
    by = edges.filter(pl.col("delegate_span_id").is_not_null()).select(
        pl.col("delegate_span_id").alias("span_id"), pl.col("delegate_id").alias("actor_id"),
        pl.col("delegator_id").alias("by_id"), pl.col("delegator_name").alias("by_name"),
    )  # fmt: skip
    by = by.unique(["span_id", "actor_id"], keep="first", maintain_order=True)
    steps = steps.join(by, on=["span_id", "actor_id"], how="left", maintain_order="left")
    orphan = pl.col("is_run") & pl.col("caller_id").is_null()
    return steps.with_columns(
        pl.when(orphan).then("by_id").otherwise("caller_id").alias("caller_id"),
        pl.when(orphan).then("by_name").otherwise("caller_name").alias("caller_name"),
    ).drop("by_id", "by_name")
