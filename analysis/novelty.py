"""Whether what an actor does with a tool is new to it for a kind of task: unlike what its earlier runs of the kind did. Pure."""

from __future__ import annotations

import polars as pl

from actorscope.analysis.detector import Frames

_KEY = ["actor_id", "task_kind"]
_TOOL = [*_KEY, "tool_name"]
_STEADY = 2
"""Different numbers of uses among the first runs up to which an agent counts as steady in it."""


def new_uses(used: pl.DataFrame, frames: Frames, min_runs: int, learn_after: int) -> pl.DataFrame:
    """Of `used` (settled actions of known actors and tools) the first in each trace that is new for its tool.

    New is the use of a tool, or one use more where content is not on record, in one of the first `learn_after` runs after
    `min_runs` without it. Added: `nth` (1 where the tool itself is new), `at_use`, `uses` (spans of the tool in the trace),
    `rank` of the run, `first_at`, `runs_before`, and `learned_late`: how many other tools became part of the kind after its
    first runs and before this one. Needs the frames `first_uses`, `nth_uses`, `first_runs` and `learned_tools`.
    """
    used = used.unique(["trace_id", "span_id"]).with_columns(pl.col("task_kind").fill_null(""))
    used = used.sort("start_time", "span_id").with_columns(
        pl.col("is_error").not_().cum_sum().over("trace_id", *_TOOL).cast(pl.Int64).alias("nth"),
        pl.int_range(pl.len()).over("trace_id", *_TOOL).alias("at_use"),
        pl.col("span_id").implode().over("trace_id", *_TOOL).alias("uses"),
    )
    is_first = pl.col("at_use") == 0
    used = used.filter(is_first | ((pl.col("nth") > 1) & pl.col("is_error").not_()))
    used = used.with_columns(nth=pl.when(is_first).then(1).otherwise("nth"))
    uses = _ranked(frames)
    found = used.join(uses, on=["trace_id", *_TOOL, "nth"]).filter(pl.col("rank") <= learn_after)
    runs = frames["first_runs"].unique([*_KEY, "trace_id"])
    before = runs.join(found.select(*_TOOL, "nth", "first_at").unique(), on=_KEY).filter(pl.col("at") < pl.col("first_at"))
    before = before.join(uses, on=["trace_id", *_TOOL, "nth"], how="anti")
    before = before.group_by(*_TOOL, "nth").agg(pl.len().alias("runs_before"))
    found = found.join(before, on=[*_TOOL, "nth"]).filter(pl.col("runs_before") >= min_runs)
    steady = _steady(runs, uses, min_runs)
    is_more = pl.col("is_open").not_() & (pl.col("task_kind") != "") & pl.col("is_steady").fill_null(True)
    found = found.join(steady, on=_TOOL, how="left").filter((pl.col("nth") == 1) | is_more)
    found = found.sort("start_time", "span_id").unique(["trace_id", *_TOOL], keep="first", maintain_order=True)
    return _with_breadth(found, frames, min_runs)


def _ranked(frames: Frames) -> pl.DataFrame:
    """The earliest runs with so many uses of a tool, with their `rank` and the first of them (`first_at`)."""
    nth = pl.col("nth").cast(pl.Int64)
    uses = pl.concat(
        [frames["first_uses"].with_columns(nth=pl.lit(1, pl.Int64)), frames["nth_uses"].with_columns(nth)], how="diagonal"
    )
    return (
        uses.unique(["trace_id", *_TOOL, "nth"])
        .sort("at", "trace_id")
        .with_columns(
            pl.int_range(1, pl.len() + 1).over(*_TOOL, "nth").alias("rank"),
            pl.col("at").min().over(*_TOOL, "nth").alias("first_at"),
        )
    )


def _steady(runs: pl.DataFrame, uses: pl.DataFrame, min_runs: int) -> pl.DataFrame:
    """Whether the first runs that used a tool used it about equally often: else a further use says nothing."""
    early = runs.sort("at", "trace_id").group_by(_KEY, maintain_order=True).head(min_runs)
    often = uses.join(early, on=["trace_id", *_KEY], how="semi").group_by("trace_id", *_TOOL).agg(pl.col("nth").max())
    return often.group_by(_TOOL).agg((pl.col("nth").n_unique() <= _STEADY).alias("is_steady"))


def _with_breadth(found: pl.DataFrame, frames: Frames, min_runs: int) -> pl.DataFrame:
    """`learned_late`: how many other tools became part of the kind after its first runs and before this one."""
    ranked = frames["first_runs"].unique([*_KEY, "trace_id"]).sort("at", "trace_id")
    learned = ranked.group_by(_KEY, maintain_order=True).agg(
        pl.col("at").get(min_runs - 1, null_on_oob=True).alias("learned_at")
    )
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
