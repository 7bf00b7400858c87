"""Tool calls and other actions: those reported twice, those that only waited, and which attempt each one is."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from actorscope.analysis.paths import Rows, above, flag, take


def echoes(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """An action that its caller and its server both report, one inside the other, ran once: the outer one stands for it
    and takes over what went wrong inside.
    """
    n = steps.height
    action = flag((pl.col("role") == "action") & pl.col("tool_name").is_not_null(), steps)
    around = above(flag(pl.col("is_run") | (pl.col("role") == "action"), steps), parent)
    around = np.where(action, around, n)
    outer_digest = take(steps["input_digest"], around)
    same = (take(steps["tool_name"], around) == steps["tool_name"]) & (
        outer_digest.is_null() | steps["input_digest"].is_null() | (outer_digest == steps["input_digest"])
    )
    echo = np.asarray(same.fill_null(False).to_numpy(), dtype=np.bool_)
    failed = np.zeros(n + 1, dtype=np.bool_)
    failed[around[echo & flag(pl.col("is_error"), steps)]] = True
    inner = np.full(n + 1, n)
    inner[around[echo]] = np.flatnonzero(echo)
    return steps.with_columns(
        pl.when(pl.Series(echo)).then(pl.lit("echo")).otherwise("role").alias("role"),
        pl.when(pl.Series(echo)).then(True).otherwise("replayed").alias("replayed"),
        (pl.col("is_error") | pl.Series(failed[:n])).alias("is_error"),
        pl.coalesce("error_type", take(steps["error_type"], inner[:n])).alias("error_type"),
        pl.coalesce("input_digest", take(steps["input_digest"], inner[:n])).alias("input_digest"),
    )


def passed_on(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """A tool call whose agent failed below it only passes the error on: the failure is that of the agent's run."""
    action, failed = flag(pl.col("role") == "action", steps), flag(pl.col("is_error"), steps)
    inside = above(action, parent)[flag(pl.col("is_run"), steps) & failed]
    holds = np.zeros(steps.height + 1, dtype=np.bool_)
    holds[inside] = True
    passes = pl.Series(holds[:-1] & action)
    return steps.with_columns(
        (pl.col("is_error") & passes.not_()).alias("is_error"),
        pl.when(passes.not_()).then("error_type").alias("error_type"),
    )


def waits(steps: pl.DataFrame) -> pl.DataFrame:
    """Calls that were asked for and stopped for a person are no actions: role `wait`, with the approval they wait for.

    A framework says so (`state`), or the call ended its run without a result and came again with one. The call that was
    carried out afterwards is what was approved.
    """
    steps = steps.with_row_index("row")
    action = steps.filter((pl.col("role") == "action") & pl.col("tool_name").is_not_null()).select(
        "row", "trace_id", "service_name", "actor_id", "actor_name", "tool_name", "conversation_id", "start_time", "has_result", "state",
        pl.coalesce("tool_call_id", "input_digest").alias("call"),
        (pl.col("has_result").not_() & pl.col("is_error").not_() & pl.col("replayed").is_null() & _is_last()).alias("is_bare"),
    )  # fmt: skip
    said = (pl.col("state") == "waiting").fill_null(False)
    key = ["service_name", "tool_name", "call"]
    before = action.filter(said | pl.col("is_bare"), pl.col("call").is_not_null())
    pairs = before.join(action.filter(said.not_()), on=key, suffix="_later", nulls_equal=True).filter(
        pl.col("start_time_later") > pl.col("start_time"),
        pl.col("start_time_later") <= pl.col("start_time") + timedelta(days=1),
        said | pl.col("has_result_later"),
        (pl.col("conversation_id") == pl.col("conversation_id_later")).fill_null(True),
        (pl.col("actor_id") == pl.col("actor_id_later")).fill_null(True),
    )
    pairs = pairs.sort("start_time_later", "row_later").unique("row", keep="first", maintain_order=True)
    # A run that goes on in another trace may have lost its agent on the way.
    who = pairs.select(pl.col("row_later").alias("row"), pl.col("actor_id").alias("from_id"), pl.col("actor_name").alias("from_name"))
    steps = steps.join(who.unique("row"), on="row", how="left", maintain_order="left")
    steps = steps.with_columns(
        pl.coalesce("actor_id", "from_id").alias("actor_id"),
        pl.coalesce("actor_name", "from_name").alias("actor_name"),
        pl.when(pl.col("actor_id").is_null() & pl.col("from_id").is_not_null())
        .then(pl.lit("inferred"))
        .otherwise("actor_basis")
        .alias("actor_basis"),
    ).drop("from_id", "from_name")
    waited = pl.col("row").is_in(pairs["row"].implode()) | pl.col("row").is_in(action.filter(said)["row"].implode())
    done = pl.col("row").is_in(pairs["row_later"].implode()) & waited.not_()
    requested = steps.filter(pl.col("approval_id").is_not_null(), pl.col("role") != "action").select("trace_id", "approval_id")
    granted = pl.struct("trace_id", pl.col("tool_call_id").alias("approval_id")).is_in(requested.to_struct().implode())
    done = (done | (granted & (pl.col("role") == "action"))).fill_null(False)
    call = pl.coalesce("approval_id", "tool_call_id", pl.concat_str("tool_name", "input_digest", separator=" "), "span_id")
    open_status = pl.col("approval_status").is_null()
    return steps.with_columns(
        pl.when(waited).then(pl.lit("wait")).otherwise("role").alias("role"),
        pl.when(waited | done).then(call).otherwise("approval_id").alias("approval_id"),
        pl.when(waited & open_status)
        .then(pl.lit("pending"))
        .when(done & open_status)
        .then(pl.lit("approved"))
        .otherwise("approval_status")
        .alias("approval_status"),
    ).drop("row")


def _is_last() -> pl.Expr:
    """No model was asked after this action in its run."""
    last_call = pl.when("is_counted").then("start_time").max().over("trace_id", "run_span_id")
    return pl.col("run_span_id").is_not_null() & (last_call < pl.col("start_time")).fill_null(True)


def attempts(steps: pl.DataFrame) -> pl.DataFrame:
    """The number of an action among equal ones of its run: one more for every equal call before it that failed."""
    failed = (pl.col("is_error") & pl.col("replayed").fill_null(False).not_()).cast(pl.Int64)
    before = (
        failed.cum_sum().over("trace_id", "run_span_id", "tool_name", "input_digest", order_by="start_time") - failed
    )
    known = (pl.col("role") == "action") & pl.col("input_digest").is_not_null()
    attempt = pl.when(known).then(before + 1).otherwise(1)
    return steps.with_columns(pl.coalesce(pl.col("execution_attempt").cast(pl.Int64), attempt).alias("attempt"))
