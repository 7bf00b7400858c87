"""What models asked for and what came of it: tool calls in answers, joined with the actions that carried them out."""

from __future__ import annotations

import polars as pl

from actorscope.ingest import content, handoffs

_CALL = pl.List(pl.Struct({"id": pl.String, "name": pl.String, "arguments": pl.String}))


def asked(steps: pl.DataFrame) -> pl.DataFrame:
    """One row per tool call in the answer of a counted model call: `call_id`, `tool_name`, `arguments`, and who asked
    (`asker_span_id`, `run_span_id`, `actor_id`, `actor_name`, `actor_basis`) when (`asked_at`).
    """
    told = steps.filter(pl.col("is_counted") & pl.col("tool_calls").is_not_null())
    calls = told.select(
        "trace_id",
        pl.col("span_id").alias("asker_span_id"),
        pl.col("start_time").alias("asked_at"),
        *("run_span_id", "actor_id", "actor_name", "actor_basis", "service_name"),
        pl.col("tool_calls").str.json_decode(_CALL).alias("call"),
    )
    calls = calls.explode("call", empty_as_null=False).unnest("call") if calls.height else _none(calls)
    names = {"id": "call_id", "name": "tool_name"}
    calls = calls.rename(names).with_columns(pl.when(pl.col("call_id") != "").then("call_id"))
    again = pl.col("call_id").is_not_null() & pl.col("call_id").is_duplicated().over("trace_id")
    calls = calls.sort("asked_at", "asker_span_id", maintain_order=True)
    first = pl.int_range(pl.len()).over("trace_id", "call_id") == 0
    return calls.filter(again.not_() | first)


def _none(calls: pl.DataFrame) -> pl.DataFrame:
    return calls.drop("call").with_columns(pl.lit(None, pl.String).alias(name) for name in ("id", "name", "arguments"))


def carried_out(steps: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Actions with what the model's answer says of them: arguments where the span has none or only their text
    (`asked_arguments`), and the agent where no run is above them.
    """
    steps = steps.with_row_index("row")
    is_bare = pl.col("has_object").not_()
    needs = is_bare | pl.col("run_span_id").is_null()
    actions = steps.filter((pl.col("role") == "action") & needs & pl.col("tool_name").is_not_null())
    actions = actions.select("row", "trace_id", "tool_name", "tool_call_id", "start_time")
    if actions.is_empty() or calls.is_empty():
        return steps.drop("row").with_columns(pl.lit(None, pl.String).alias("asked_arguments"))
    said = calls.select(
        "trace_id", "tool_name", "call_id", "asked_at", "arguments",
        *(pl.col(c).alias(f"by_{c}") for c in ("run_span_id", "actor_id", "actor_name", "actor_basis")),
        pl.len().over("trace_id", "asker_span_id", "tool_name").alias("like_it"),
    )  # fmt: skip
    by_id = said.filter(pl.col("call_id").is_not_null()).unique(
        ["trace_id", "call_id"], keep="first", maintain_order=True
    )
    found = actions.join(
        by_id.drop("tool_name", "asked_at"),
        left_on=["trace_id", "tool_call_id"],
        right_on=["trace_id", "call_id"],
        how="inner",
    ).with_columns(pl.lit(1, pl.UInt32).alias("like_it"))
    rest = actions.join(found, on="row", how="anti").sort("start_time")
    latest = rest.join_asof(
        said.sort("asked_at"), left_on="start_time", right_on="asked_at", by=["trace_id", "tool_name"], strategy="backward",
        check_sortedness=False,
    )  # fmt: skip
    columns = ["row", "arguments", "like_it", "by_run_span_id", "by_actor_id", "by_actor_name", "by_actor_basis"]
    both = pl.concat([found.select(columns), latest.select(columns)])
    steps = steps.join(both, on="row", how="left", maintain_order="left").drop("row")
    steps = steps.with_columns(pl.when(is_bare & (pl.col("like_it") == 1)).then("arguments").alias("asked_arguments"))
    digest = pl.col("asked_arguments").map_elements(content.digest, return_dtype=pl.String)
    steps = steps.with_columns(pl.coalesce(digest, "input_digest").alias("input_digest"))
    orphan = pl.col("run_span_id").is_null() & (pl.col("role") == "action") & pl.col("by_actor_id").is_not_null()
    own = pl.when(orphan & pl.col("agent_name").is_null())
    steps = steps.with_columns(
        pl.when(orphan).then("by_run_span_id").otherwise("run_span_id").alias("run_span_id"),
        own.then("by_actor_id").otherwise("actor_id").alias("actor_id"),
        own.then("by_actor_name").otherwise("actor_name").alias("actor_name"),
        own.then(pl.lit("inferred")).otherwise("actor_basis").alias("actor_basis"),
    )
    return steps.drop("arguments", "like_it", "by_run_span_id", "by_actor_id", "by_actor_name", "by_actor_basis")


def hand_offs(steps: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Calls of hand-off tools that no span carried out: `calls` with `delegate_name` and `mode`.

    Some frameworks take such a call themselves and report neither a tool nor a hand-off.
    """
    tool, arguments = pl.col("tool_name"), pl.col("arguments")
    calls = calls.with_columns(
        handoffs.target(tool, arguments).alias("delegate_name"), handoffs.mode(tool).alias("mode")
    )
    calls = calls.filter(pl.col("delegate_name").is_not_null())
    done = steps.filter(pl.col("tool_name").is_not_null() | (pl.col("role") == "handoff"))
    calls = calls.join(
        done.filter(pl.col("role") == "handoff").select("trace_id", "run_span_id").unique(),
        on=["trace_id", "run_span_id"],
        how="anti",
    )
    by_id = done.select("trace_id", pl.col("tool_call_id").alias("call_id")).drop_nulls().unique()
    by_name = done.select("trace_id", "tool_name").drop_nulls().unique()
    return calls.join(by_id, on=["trace_id", "call_id"], how="anti").join(
        by_name, on=["trace_id", "tool_name"], how="anti"
    )
