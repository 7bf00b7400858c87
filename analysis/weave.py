"""What one span alone cannot say: whose it is, in which run, for which cause, and what it really cost.

Takes all known spans of some traces and returns them with these facts. Pure; the same spans in any order give the same facts.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from actorscope.analysis.paths import Flags, Rows, above, depth, nearest, parent_rows, take, topmost
from actorscope.analysis.prices import price_calls

RUNS = ("invoke_agent",)
CALLS = ("chat", "embeddings")
_HEX = r"^(?:[0-9a-f]{16,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{20,})$"


def weave(spans: pl.DataFrame) -> pl.DataFrame:
    """`spans` (columns of `queries/trace_spans.sql`) plus what follows from their place in the trace.

    Added: run_span_id, parent_run_span_id, top_run_span_id, actor_id, actor_name, actor_basis, caller_id, caller_name,
    role, is_error, is_rooted (nothing above it is missing), is_counted, cost_usd, cost_source, cause_id, cause_basis,
    cause_request, attempt, grant, grant_span_id, run_cost_usd, run_tokens, run_calls, and `task_kind`, `trigger`, `user_id`,
    `conversation_id` taken from above where the span has none.
    """
    order = ["trace_id", "start_time", "span_id", "end_time", "ingester", "seq"]
    steps = spans.sort(order).unique(["trace_id", "span_id"], keep="first", maintain_order=True)
    parent = parent_rows(steps)
    steps = _runs(steps, parent)
    steps = _inherit(steps, parent)
    steps = _cause(steps, parent)
    steps = _count_calls(steps, parent)
    steps = _echoed_actions(steps, parent)
    steps = _attempts(steps)
    return _run_totals(steps)


def _identify(steps: pl.DataFrame) -> pl.DataFrame:
    """`own_key`: the identity a span states; a name that has exactly one principal in its trace stands for that principal."""
    steps = steps.with_columns(_actor_key().alias("own_key"))
    named = steps.filter(pl.col("agent_name").is_not_null(), pl.col("principal_id").is_not_null())
    names = named.group_by("trace_id", "service_name", "agent_name").agg(
        pl.col("principal_id").first().alias("only"), pl.col("principal_id").n_unique().alias("principals")
    )
    steps = steps.join(
        names.filter(pl.col("principals") == 1),
        on=["trace_id", "service_name", "agent_name"],
        how="left",
        maintain_order="left",
    )
    return steps.with_columns(pl.coalesce("principal_id", "only", "own_key").alias("own_key")).drop(
        "only", "principals"
    )


def _actor_key() -> pl.Expr:
    """The identity a span states: principal, official agent id, else service and name. Random ids are no identity."""
    stable_id = pl.when(pl.col("agent_id").str.contains(_HEX).not_()).then(pl.col("agent_id"))
    return pl.coalesce(
        "principal_id",
        pl.when(stable_id.is_not_null()).then(pl.format("{}/{}", "service_name", stable_id)),
        pl.when(pl.col("agent_name").is_not_null()).then(pl.format("{}/{}", "service_name", "agent_name")),
        pl.when(pl.col("agent_id").is_not_null()).then(pl.format("{}/{}", "service_name", "agent_id")),
    )


def _flag(expression: pl.Expr, steps: pl.DataFrame) -> Flags:
    return np.asarray(steps.select(expression.fill_null(False)).to_series().to_numpy(), dtype=np.bool_)


def _runs(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Which spans are runs of an agent, and which run and actor every span belongs to."""
    n = steps.height
    steps = _identify(steps)
    is_run = _flag(pl.col("operation").is_in(RUNS) & pl.col("own_key").is_not_null(), steps)
    # A framework that wraps an agent in spans of the same agent reports one run: the outermost.
    key = steps["own_key"].fill_null("").to_numpy()
    padded, run_padded = np.append(key, ""), np.append(is_run, False)
    echo = is_run & run_padded[parent] & (padded[parent] == key)
    is_run &= ~echo
    run = nearest(is_run, parent)
    caller_run = np.append(above(is_run, parent), n)[run]
    run_name, run_key = take(steps["agent_name"], run), take(steps["own_key"], run)
    steps = steps.with_columns(
        take(steps["span_id"], run).alias("run_span_id"),
        take(steps["span_id"], caller_run).alias("parent_run_span_id"),
        take(steps["span_id"], topmost(is_run, parent)).alias("top_run_span_id"),
        pl.Series("is_run", is_run),
        _role(pl.Series(is_run), pl.Series(echo)),
    )
    is_own = pl.col("agent_name").is_not_null() & (run_name.is_null() | (pl.col("agent_name") != run_name))
    is_official = pl.col("principal_id").is_not_null() | pl.col("agent_id").is_not_null()
    own_basis = pl.when(is_official).then(pl.lit("declared")).otherwise(pl.col("agent_basis"))
    run_basis = take(steps.select(own_basis.alias("b"))["b"], run)
    steps = steps.with_columns(
        pl.when(is_own).then(pl.col("own_key")).otherwise(pl.coalesce(run_key, "own_key")).alias("actor_id"),
        pl.when(is_own)
        .then(pl.col("agent_name"))
        .otherwise(pl.coalesce(run_name, "agent_name", run_key))
        .alias("actor_name"),
        pl.when(is_own | pl.Series(is_run))
        .then(own_basis)
        .otherwise(pl.coalesce(run_basis, own_basis))
        .alias("actor_basis"),
    )
    caller = take(steps["actor_id"], caller_run), take(steps["actor_name"], caller_run)
    return steps.with_columns(caller[0].alias("caller_id"), caller[1].alias("caller_name"))


def _role(is_run: pl.Series, is_echo: pl.Series) -> pl.Expr:
    return (
        pl.when(is_run)
        .then(pl.lit("run"))
        .when(is_echo)
        .then(pl.lit("echo"))
        .when(pl.col("operation") == "execute_tool")
        .then(pl.lit("action"))
        .when(pl.col("operation").is_in(CALLS))
        .then(pl.lit("model_call"))
        .when(pl.col("operation") == "handoff")
        .then(pl.lit("handoff"))
        .otherwise(pl.lit(""))
        .alias("role")
    )


def _inherit(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """What a span does not say itself it has from the nearest span above that does."""
    for column in ("task_kind", "trigger", "user_id", "conversation_id"):
        above_rows = nearest(_flag(pl.col(column).is_not_null(), steps), parent)
        steps = steps.with_columns(take(steps[column], above_rows).alias(column))
    root = nearest(parent == len(parent), parent)
    is_first = pl.coalesce("parent_span_id", pl.lit("")).str.strip_chars("0") == ""
    is_rooted = take(steps.select(is_first.alias("is_rooted"))["is_rooted"], root).fill_null(False)
    # What an action grants is for those it starts, so that its own grant stands above it.
    grants = _flag(pl.col("scope_granted").list.len() > 0, steps)
    granted = np.where(_flag(pl.col("role") == "action", steps), above(grants, parent), nearest(grants, parent))
    has_own = pl.col("scope_authorized").list.len() > 0
    return steps.with_columns(
        pl.when(has_own)
        .then(pl.col("scope_authorized"))
        .otherwise(take(steps["scope_granted"], granted))
        .alias("grant"),
        pl.when(has_own).then(pl.col("span_id")).otherwise(take(steps["span_id"], granted)).alias("grant_span_id"),
        is_rooted,
        (pl.col("status_code") == "error").or_(pl.col("error_type").is_not_null()).alias("is_error"),
    )


def _cause(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Why the work was done: the request at the top of the path, of this user in this conversation.

    Without a request the declared execution stands for the cause; without either the cause is unknown (empty).
    """
    asks = _flag(pl.col("request").is_not_null() & pl.col("operation").is_in([*RUNS, "invoke_workflow"]), steps)
    top = topmost(asks, parent)
    first = (
        steps.filter(pl.Series(asks))
        .group_by("trace_id", maintain_order=True)
        .agg(pl.col("request", "user_id", "conversation_id").first().name.prefix("first_"))
    )
    steps = steps.join(first, on="trace_id", how="left", maintain_order="left")
    request = pl.coalesce(take(steps["request"], top), "first_request")
    # A delegate in a conversation of its own still works for the one in which was asked.
    asker = (
        pl.coalesce(take(steps[c], top), pl.when(pl.Series(top == steps.height)).then(f"first_{c}"), c).fill_null("")
        for c in ("user_id", "conversation_id")
    )
    who = pl.concat_str(*asker, separator="\x1f")
    asked = pl.concat_str(pl.lit("ask"), who, request.str.to_lowercase().str.replace_all(r"\s+", " "), separator="\x1f")
    executed = pl.coalesce("execution_original_id", "execution_id")
    executed_rows = nearest(_flag(executed.is_not_null(), steps), parent)
    execution = take(steps.select(executed.alias("e"))["e"], executed_rows)
    return steps.with_columns(
        pl.when(request.is_not_null())
        .then(asked.map_batches(_digests, return_dtype=pl.String))
        .when(execution.is_not_null())
        .then(pl.format("execution:{}", execution))
        .otherwise(pl.lit(""))
        .alias("cause_id"),
        pl.when(request.is_not_null())
        .then(pl.lit("derived"))
        .when(execution.is_not_null())
        .then(pl.lit("declared"))
        .otherwise(pl.lit("unknown"))
        .alias("cause_basis"),
        request.alias("cause_request"),
    ).drop("first_request", "first_user_id", "first_conversation_id")


def _digests(texts: pl.Series) -> pl.Series:
    """Stable short digests, one computation per distinct text."""
    distinct = texts.unique().drop_nulls()
    table = {text: "ask:" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest() for text in distinct}
    return texts.replace_strict(table, default=None, return_dtype=pl.String)


def _count_calls(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Each model call once: of nested reports of one call the inner one with tokens, of simultaneous ones the first."""
    n = steps.height
    call = _flag(pl.col("role") == "model_call", steps)
    has_tokens = _flag(pl.col("input_tokens").is_not_null() | pl.col("output_tokens").is_not_null(), steps)
    outer = _outer_call(steps, parent, call)
    covered, rows = np.zeros(n + 1, dtype=np.bool_), outer[call & has_tokens]
    while (rows := np.unique(rows[(rows < n) & ~covered[rows]])).size:
        covered[rows] = True
        rows = outer[rows]
    counted = call & ~covered[:n] & (has_tokens | (outer == n))
    # The cost that an outer report states is that of its inner one, if there is only one.
    alone = counted & (np.bincount(outer[counted], minlength=n + 1)[outer] == 1)
    stated = steps["cost_amount"]
    stated = pl.select(pl.coalesce(stated, take(stated, np.where(alone, outer, n)))).to_series()
    steps = steps.with_columns(pl.Series("is_counted", counted), stated.alias("stated"))
    # Two instrumentations of one call report the same response id at the same time, maybe in two traces.
    group = ("service_name", "response_id")
    counted_end = pl.when("is_counted").then("end_time")
    ended_before = (
        counted_end.cum_max().shift(1).forward_fill().over(*group, order_by=["start_time", "trace_id", "span_id"])
    )
    repeated = (
        pl.col("is_counted")
        & pl.col("response_id").is_not_null()
        & (pl.col("start_time") < ended_before).fill_null(False)
    )
    steps = steps.with_columns(pl.col("is_counted") & repeated.not_())
    is_dollar = pl.col("cost_currency").is_null() | (pl.col("cost_currency").str.to_uppercase() == "USD")
    is_self = pl.col("is_counted") | ((pl.col("role") != "model_call") & (pl.col("cost_basis") == "self"))
    is_self = is_self | (
        (pl.col("role") == "action") & (pl.col("cost_basis").is_null() | (pl.col("cost_basis") != "aggregate"))
    )
    own = pl.when(is_self & is_dollar).then(pl.col("stated"))
    priced = pl.when(pl.col("is_counted")).then(price_calls(steps))
    return steps.with_columns(
        pl.coalesce(own, priced).alias("cost_usd"),
        pl.when(own.is_not_null())
        .then(pl.lit("stated"))
        .when(priced.is_not_null())
        .then(pl.lit("backend"))
        .alias("cost_source"),
    ).drop("stated")


def _outer_call(steps: pl.DataFrame, parent: Rows, call: Flags) -> Rows:
    """For each call the report of the same call around it; an action or a run between them makes it another call."""
    around = above(call | _flag(pl.col("is_run") | (pl.col("role") == "action"), steps), parent)
    return np.where(call & np.append(call, False)[around], around, steps.height)


def _echoed_actions(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """An action that its caller and its server both report, one inside the other, ran once: the inner one counts as replayed."""
    action = _flag((pl.col("role") == "action") & pl.col("input_digest").is_not_null(), steps)
    around = above(_flag(pl.col("is_run") | (pl.col("role") == "action"), steps), parent)
    around = np.where(action, around, steps.height)
    echo = (take(steps["tool_name"], around) == steps["tool_name"]) & (
        take(steps["input_digest"], around) == steps["input_digest"]
    )
    return steps.with_columns(pl.when(echo.fill_null(False)).then(True).otherwise("replayed").alias("replayed"))


def _attempts(steps: pl.DataFrame) -> pl.DataFrame:
    """The number of an action among equal ones of its run: one more for every equal call before it that failed."""
    failed = (pl.col("is_error") & pl.col("replayed").fill_null(False).not_()).cast(pl.Int64)
    before = (
        failed.cum_sum().over("trace_id", "run_span_id", "tool_name", "input_digest", order_by="start_time") - failed
    )
    known = (pl.col("role") == "action") & pl.col("input_digest").is_not_null()
    attempt = pl.when(known).then(before + 1).otherwise(1)
    return steps.with_columns(pl.coalesce(pl.col("execution_attempt").cast(pl.Int64), attempt).alias("attempt"))


def _run_totals(steps: pl.DataFrame) -> pl.DataFrame:
    """Cost, tokens and calls of each run with all it delegated, on the span of the run."""
    tokens = pl.when("is_counted").then(pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0))
    own = (
        steps.filter(pl.col("run_span_id").is_not_null())
        .group_by("trace_id", "run_span_id")
        .agg(
            pl.col("cost_usd").sum().alias("cost"),
            tokens.sum().alias("tokens"),
            pl.col("is_counted").sum().cast(pl.Int64).alias("calls"),
            pl.col("cost_usd").is_not_null().any().alias("has_cost"),
        )
    )
    runs = steps.filter("is_run").select("trace_id", pl.col("span_id").alias("run_span_id"), "parent_run_span_id")
    runs = runs.join(own, on=["trace_id", "run_span_id"], how="left").sort("trace_id", "run_span_id")
    totals = _sum_up(runs)
    return steps.join(
        totals, left_on=["trace_id", "span_id"], right_on=["trace_id", "run_span_id"], how="left", maintain_order="left"
    )


def _sum_up(runs: pl.DataFrame) -> pl.DataFrame:
    """Adds the totals of runs to the runs above them, deepest first."""
    named = runs.rename({"run_span_id": "span_id", "parent_run_span_id": "parent_span_id"})
    parent = parent_rows(named)
    n = runs.height
    sums = np.zeros((n + 1, 4))
    sums[:n] = runs.select(pl.col("cost", "tokens", "calls", "has_cost").cast(pl.Float64).fill_null(0)).to_numpy()
    depths = depth(parent)
    order = np.argsort(-depths, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(depths[order])) + 1):
        np.add.at(sums, parent[rows], sums[rows])
    cost = pl.Series(sums[:n, 0])
    return runs.select("trace_id", "run_span_id").with_columns(
        pl.when(pl.Series(sums[:n, 3] > 0)).then(cost).alias("run_cost_usd"),
        pl.Series("run_tokens", sums[:n, 1]).cast(pl.Int64),
        pl.Series("run_calls", sums[:n, 2]).cast(pl.Int64),
    )
