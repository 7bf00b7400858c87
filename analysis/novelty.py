"""Whether a tool is new to an actor for a kind of task: unlike what its earlier runs of the kind used. Pure."""

from __future__ import annotations

import polars as pl

from actorscope.analysis.detector import Frames

_KEY = ["actor_id", "task_kind"]


def new_tools(uses: pl.DataFrame, frames: Frames, min_runs: int, learn_after: int) -> pl.DataFrame:
    """The first of `uses` (settled actions of known actors and tools) per trace, actor, kind and tool, where the tool is new.

    New is a tool of which this is one of the first `learn_after` runs, after `min_runs` without it. Added: `uses` (its spans in
    the trace), `rank` of the run, `first_at`, `runs_before`, and `learned_late`: how many other tools became part of the kind
    after its first runs and before this one. Needs the frames `first_uses`, `first_runs` and `learned_tools`.
    """
    uses_here = pl.col("span_id").unique().sort().implode().over("trace_id", *_KEY, "tool_name").alias("uses")
    first = uses.with_columns(pl.col("task_kind").fill_null("")).with_columns(uses_here).sort("start_time", "span_id")
    first = first.unique(["trace_id", *_KEY, "tool_name"], keep="first", maintain_order=True)
    known = (
        frames["first_uses"]
        .unique(["trace_id", *_KEY, "tool_name"])
        .sort("at", "trace_id")
        .with_columns(
            pl.int_range(1, pl.len() + 1).over(*_KEY, "tool_name").alias("rank"),
            pl.col("at").min().over(*_KEY, "tool_name").alias("first_at"),
        )
    )
    found = first.join(known, on=["trace_id", *_KEY, "tool_name"]).filter(pl.col("rank") <= learn_after)
    runs = frames["first_runs"].unique([*_KEY, "trace_id"])
    runs = runs.join(found.select(*_KEY, "tool_name", "first_at").unique(), on=_KEY)
    runs = runs.filter(pl.col("at") < pl.col("first_at")).join(known, on=["trace_id", *_KEY, "tool_name"], how="anti")
    runs = runs.group_by(*_KEY, "tool_name").agg(pl.len().alias("runs_before"))
    found = found.join(runs, on=[*_KEY, "tool_name"]).filter(pl.col("runs_before") >= min_runs)
    return _with_breadth(found, frames, min_runs)


def _with_breadth(found: pl.DataFrame, frames: Frames, min_runs: int) -> pl.DataFrame:
    ranked = frames["first_runs"].unique([*_KEY, "trace_id"]).sort("at", "trace_id")
    learned = ranked.group_by(_KEY, maintain_order=True).agg(pl.col("at").get(min_runs - 1, null_on_oob=True).alias("learned_at"))
    tools = frames["learned_tools"].unique([*_KEY, "tool_name"]).rename({"tool_name": "other", "at": "other_at"})
    late = (
        found.join(learned, on=_KEY)
        .join(tools, on=_KEY)
        .filter(
            pl.col("other") != pl.col("tool_name"),
            pl.col("other_at") > pl.col("learned_at"),
            pl.col("other_at") < pl.col("first_at"),
        )
    )
    late = late.group_by("trace_id", "span_id").agg(pl.len().alias("learned_late"))
    return found.join(late, on=["trace_id", "span_id"], how="left").with_columns(pl.col("learned_late").fill_null(0))
