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
        pl.coalesce("result_digest", take(steps["result_digest"], inner[:n])).alias("result_digest"),
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


def waits(steps: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Calls that were asked for and stopped for a person are no actions: role `wait`, with the approval they wait for.

    A framework says so (`state`), or the call ended its run without a result and came again with one. The call that was
    carried out afterwards is what was approved. A call that the model asked for in one run and that a later run carried
    out waited too (`calls`: see `asked`). What follows here is `inferred` (`approval_basis`).
    """
    stated = pl.col("approval_id").alias("approval_stated")
    steps = _asked_before(steps.with_row_index("row").with_columns(stated))
    steps = steps.with_columns(_is_last().alias("is_last"))
    action = steps.filter((pl.col("role") == "action") & pl.col("tool_name").is_not_null())
    stopped = (pl.col("state") == "waiting").fill_null(False)
    pairs = _came_again(action, stopped)
    late = _carried_out_later(steps, action, calls)
    steps = _known_again(steps, pairs)
    waited = _among(pairs["row"]) | _among(action.filter(stopped)["row"])
    requested = steps.filter(pl.col("approval_id").is_not_null(), pl.col("role") != "action").select(
        "trace_id", "approval_id"
    )
    granted = pl.struct("trace_id", pl.col("tool_call_id").alias("approval_id")).is_in(requested.to_struct().implode())
    granted = granted.fill_null(False) & (pl.col("role") == "action")
    # What the framework says of a request needs no guess.
    late = late.join(steps.filter(granted).select("row"), on="row", how="anti")
    done = (_among(pairs["row_later"]) | _among(late["row"]) | granted) & waited.not_()
    asker = _among(late["asker"])
    steps = steps.join(_requests(pairs, late), on="row", how="left", maintain_order="left")
    call = pl.coalesce("approval_id", pl.when(granted).then("tool_call_id"), "asked_in", "span_id")
    known = pl.col("approval_status").is_not_null()
    guessed = (waited | done | asker) & known.not_()
    return steps.with_columns(
        pl.when(waited).then(pl.lit("wait")).otherwise("role").alias("role"),
        pl.when(waited | done | asker).then(call).otherwise("approval_id").alias("approval_id"),
        pl.when(known)
        .then("approval_status")
        .when(waited | asker)
        .then(pl.lit("pending"))
        .when(done)
        .then(pl.lit("approved"))
        .alias("approval_status"),
        pl.when(guessed)
        .then(pl.lit("inferred"))
        .when(known | pl.col("approval_id").is_not_null())
        .then(pl.lit("declared"))
        .alias("approval_basis"),
    ).drop("row", "asked_in", "is_last")


def _asked_before(steps: pl.DataFrame) -> pl.DataFrame:
    """An action that names no approval has the latest one of its trace that was asked for its tool, and for its
    arguments where both are known.
    """
    asked = steps.filter(pl.col("approval_id").is_not_null(), pl.col("role") == "", pl.col("tool_name").is_not_null())
    if asked.is_empty():
        return steps
    place = ["trace_id", "tool_name"]
    asked = asked.select(
        *place, "start_time", pl.col("approval_id").alias("asked_id"), pl.col("input_digest").alias("asked_for")
    )
    bare = steps.filter(pl.col("role") == "action", pl.col("approval_id").is_null(), pl.col("tool_name").is_not_null())
    bare = bare.select("row", *place, "start_time", "input_digest").sort("start_time", "row")
    found = bare.join_asof(
        asked.sort("start_time", "asked_id"), on="start_time", by=place, strategy="backward", check_sortedness=False
    )
    found = found.filter((pl.col("asked_for") == pl.col("input_digest")).fill_null(True)).select("row", "asked_id")
    steps = steps.join(found, on="row", how="left", maintain_order="left")
    return steps.with_columns(pl.coalesce("approval_id", "asked_id").alias("approval_id")).drop("asked_id")


def _requests(pairs: pl.DataFrame, late: pl.DataFrame) -> pl.DataFrame:
    """The rows of each request and of what came of it, with one id: the span that waited or asked."""
    both = pl.concat([
        pairs.select("row", pl.col("span_id").alias("asked_in")),
        pairs.select(pl.col("row_later").alias("row"), pl.col("span_id").alias("asked_in")),
        late.select("row", pl.col("asker_span_id").alias("asked_in")),
        late.select(pl.col("asker").alias("row"), pl.col("asker_span_id").alias("asked_in")),
    ])  # fmt: skip
    return both.unique("row", keep="first", maintain_order=True)


def _among(rows: pl.Series) -> pl.Expr:
    return pl.col("row").is_in(rows.implode())


def _came_again(action: pl.DataFrame, stopped: pl.Expr) -> pl.DataFrame:
    """Calls that stopped, each with the equal call that was carried out next within a day (`*_later`)."""
    bare = pl.col("has_result").not_() & pl.col("is_error").not_() & pl.col("replayed").is_null() & pl.col("is_last")
    calls = action.select(
        "row", "trace_id", "span_id", "service_name", "actor_id", "actor_name", "tool_name", "conversation_id", "start_time",
        "has_result", "state",
        pl.coalesce("tool_call_id", "input_digest").alias("call"),
        bare.alias("is_bare"),
    )  # fmt: skip
    before = calls.filter(stopped | pl.col("is_bare"), pl.col("call").is_not_null())
    pairs = before.join(
        calls.filter(stopped.not_()), on=["service_name", "tool_name", "call"], suffix="_later", nulls_equal=True
    ).filter(
        pl.col("start_time_later") > pl.col("start_time"),
        pl.col("start_time_later") <= pl.col("start_time") + timedelta(days=1),
        stopped | pl.col("has_result_later"),
        (pl.col("conversation_id") == pl.col("conversation_id_later")).fill_null(True),
        (pl.col("actor_id") == pl.col("actor_id_later")).fill_null(True),
    )
    return pairs.sort("start_time_later", "row_later").unique("row", keep="first", maintain_order=True)


def _carried_out_later(steps: pl.DataFrame, action: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Actions (`row`) that a model asked for (`asker`) in a run that had ended before they began."""
    ended = steps.filter("is_run").select(
        "trace_id", pl.col("span_id").alias("run_span_id"), pl.col("end_time").alias("run_end")
    )
    place = steps.select(
        "trace_id", "conversation_id", pl.col("span_id").alias("asker_span_id"), pl.col("row").alias("asker")
    )
    said = (
        calls.filter(pl.col("call_id").is_not_null())
        .join(ended, on=["trace_id", "run_span_id"])
        .join(place, on=["trace_id", "asker_span_id"])
    )
    both = ("trace_id", "conversation_id", "service_name", "tool_name", "run_span_id")
    said = said.select(*both, pl.col("call_id").alias("tool_call_id"), "run_end", "asker", "asker_span_id")
    mine = action.filter(pl.col("run_span_id").is_not_null()).select(*both, "row", "tool_call_id", "start_time")
    late = mine.join(said, on=["service_name", "tool_name", "tool_call_id"], suffix="_asked", nulls_equal=True).filter(
        pl.col("tool_call_id").is_not_null(),
        pl.col("run_span_id") != pl.col("run_span_id_asked"),
        pl.col("run_end").is_between(pl.col("start_time") - timedelta(days=1), pl.col("start_time")),
        (pl.col("trace_id") == pl.col("trace_id_asked"))
        | (pl.col("conversation_id") == pl.col("conversation_id_asked")),
    )
    return late.sort("row", "asker").unique("row", keep="first", maintain_order=True)


def _known_again(steps: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """A run that goes on in another trace may have lost its agent on the way: the call that waited knows it."""
    who = pairs.select(
        pl.col("row_later").alias("row"), pl.col("actor_id").alias("from_id"), pl.col("actor_name").alias("from_name")
    )
    steps = steps.join(
        who.unique("row", keep="first", maintain_order=True), on="row", how="left", maintain_order="left"
    )
    lost = pl.col("actor_id").is_null() & pl.col("from_id").is_not_null()
    return steps.with_columns(
        pl.coalesce("actor_id", "from_id").alias("actor_id"),
        pl.coalesce("actor_name", "from_name").alias("actor_name"),
        pl.when(lost).then(pl.lit("inferred")).otherwise("actor_basis").alias("actor_basis"),
    ).drop("from_id", "from_name")


def _is_last() -> pl.Expr:
    """No model was asked after this action in its run."""
    last_call = pl.when("is_counted").then("start_time").max().over("trace_id", "run_span_id")
    return pl.col("run_span_id").is_not_null() & (last_call < pl.col("start_time")).fill_null(True)


def attempts(steps: pl.DataFrame) -> pl.DataFrame:
    """The number of an action among equal ones of its run: one more for every equal call before it that failed."""
    same = ["trace_id", "run_span_id", "tool_name", "input_digest"]
    calls = steps.select(*same, "start_time", "is_error", "replayed").with_row_index("row")
    failed = pl.col("is_error").fill_null(False) & pl.col("replayed").fill_null(False).not_()
    calls = calls.filter(pl.col("input_digest").is_not_null()).with_columns(failed.cast(pl.Int64).alias("failed"))
    calls = calls.join(calls.filter(pl.col("failed") > 0).select(same).unique(), on=same, how="semi", nulls_equal=True)
    before = (pl.col("failed").cum_sum() - pl.col("failed")).over(same)
    again = calls.sort("start_time", "row").select("row", before.alias("failed_before")).sort("row")
    steps = steps.with_row_index("row").join(again, on="row", how="left", maintain_order="left").drop("row")
    attempt = pl.when(pl.col("role") == "action").then(pl.col("failed_before").fill_null(0) + 1).otherwise(1)
    told = pl.col("execution_attempt").cast(pl.Int64)
    return steps.with_columns(pl.coalesce(told, attempt).alias("attempt")).drop("failed_before")
