"""What one span alone cannot say: whose it is, in which run, for which cause, and what it really cost.

Takes all known spans of some traces and returns them with these facts. Pure; the same spans in any order give the same facts.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from actorscope.analysis.actions import attempts, echoes, passed_on, waits
from actorscope.analysis.asked import asked, carried_out
from actorscope.analysis.calls import count_calls
from actorscope.analysis.identity import identify, is_service, named
from actorscope.analysis.paths import IS_FIRST, Rows, above, depth, flag, nearest, parent_rows, take, topmost
from actorscope.ingest import handoffs

RUNS = ("invoke_agent",)
CALLS = ("chat", "embeddings")


def weave(spans: pl.DataFrame) -> pl.DataFrame:
    """`spans` (columns of `queries/trace_spans.sql`) plus what follows from their place in the trace.

    Added: run_span_id, parent_run_span_id, actor_id, actor_name, actor_basis, actor_kind, caller_id, caller_name, role,
    asked_arguments, is_error, is_rooted (nothing above it is missing), is_counted, cost_usd, cost_source, cause_id, cause_basis,
    cause_request, attempt, grant, grant_span_id, run_cost_usd, run_tokens, run_output_tokens, run_calls, run_model, and `task_kind`,
    `trigger`, `user_id`, `conversation_id` taken from above where the span has none.
    """
    order = ["trace_id", "start_time", "span_id", "end_time", "ingester", "seq"]
    steps = (
        spans.filter((pl.col("state") == "started").fill_null(False).not_())
        .sort(order)
        .unique(["trace_id", "span_id"], keep="first", maintain_order=True)
    )
    parent = parent_rows(steps)
    steps = _runs(steps, parent)
    steps = _inherit(steps, parent)
    steps = _cause(steps, parent)
    steps = count_calls(steps, parent)
    calls = asked(steps)
    steps = carried_out(steps, calls)
    steps = waits(passed_on(echoes(steps, parent), parent), calls)
    steps = attempts(_services(steps))
    return _run_totals(steps)


def _services(steps: pl.DataFrame) -> pl.DataFrame:
    """Work of which only the service is known is the service's."""
    unknown = pl.col("actor_id").is_null() & pl.col("role").is_in(["action", "wait", "model_call"])
    unknown = unknown & is_service(pl.col("service_name"))
    return steps.with_columns(
        pl.when(unknown).then("service_name").otherwise("actor_id").alias("actor_id"),
        pl.when(unknown).then("service_name").otherwise("actor_name").alias("actor_name"),
        pl.when(unknown).then(pl.lit("inferred")).otherwise("actor_basis").alias("actor_basis"),
        pl.when(unknown)
        .then(pl.lit("service"))
        .when(pl.col("actor_id").is_not_null())
        .then("actor_kind")
        .alias("actor_kind"),
    )


def _runs(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Which spans are runs of an agent, and which run and actor every span belongs to."""
    n = steps.height
    steps = _agents(identify(steps), parent)
    is_run = flag(pl.col("is_run"), steps)
    # A framework that wraps an agent in spans of the same agent reports one run: the outermost.
    key = steps["own_key"].fill_null("").to_numpy()
    padded, run_padded = np.append(key, ""), np.append(is_run, False)
    echo = is_run & run_padded[parent] & (padded[parent] == key)
    is_run &= ~echo
    run = nearest(is_run, parent)
    caller_run = np.append(above(is_run, parent), n)[run]
    steps = steps.with_columns(
        take(steps["span_id"], run).alias("run_span_id"),
        take(steps["span_id"], caller_run).alias("parent_run_span_id"),
        pl.Series("is_run", is_run),
        _role(pl.Series(is_run), pl.Series(echo)),
    )
    # The nearest span that names an agent says whose a span is, be it a run or a step of another agent within one.
    whose = nearest(flag(pl.col("own_key").is_not_null(), steps), parent)
    is_official = pl.col("principal_id").is_not_null() | pl.col("agent_id").is_not_null()
    basis = pl.when(is_official).then(pl.lit("declared")).otherwise(pl.col("agent_basis"))
    own_basis = steps.select(basis.alias("b"))["b"]
    whose_name, whose_key = take(steps["agent_name"], whose), take(steps["own_key"], whose)
    steps = steps.with_columns(
        whose_key.alias("actor_id"),
        pl.coalesce(whose_name, whose_key).alias("actor_name"),
        take(own_basis, whose).alias("actor_basis"),
        pl.coalesce(take(steps["actor_kind"], run), pl.lit("agent")).alias("actor_kind"),
    )
    caller = take(steps["actor_id"], caller_run), take(steps["actor_name"], caller_run)
    return steps.with_columns(caller[0].alias("caller_id"), caller[1].alias("caller_name"))


def _agents(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Spans that stand for an agent at work (`is_run`), what it is called and its `actor_kind`.

    Beside the spans that say so: a tool through which a named agent got work and that holds its model calls, and a
    workflow that works itself, without any agent in it.
    """
    n = steps.height
    steps = _turns(steps)
    call = flag(pl.col("operation").is_in(CALLS), steps)
    holds = np.zeros(n + 1, dtype=np.bool_)
    holds[parent[call]] = True
    took = flag(pl.col("took_turn"), steps) & holds[:n] & ~flag(pl.col("operation") == "execute_tool", steps)
    stated = flag(pl.col("operation").is_in(RUNS) & pl.col("own_key").is_not_null(), steps) | took
    returns = pl.coalesce("delegation_mode", pl.lit("return_to_caller")) == "return_to_caller"
    inside = pl.when(returns).then(pl.coalesce("delegate_name", handoffs.agent_in(pl.col("tool_name"))))
    steps = steps.with_columns(inside.alias("agent_inside"))
    giver = flag((pl.col("operation") == "execute_tool") & pl.col("agent_inside").is_not_null(), steps)
    host = np.zeros(n + 1, dtype=np.bool_)
    host[above(stated | giver, parent)[call]] = True
    host = host[:n] & giver
    workflow = flag((pl.col("operation") == "invoke_workflow") & pl.col("workflow_name").is_not_null(), steps)
    top = topmost(workflow, parent)
    bare = flag(pl.col("operation").is_in([*CALLS, "execute_tool"]) & pl.col("own_key").is_null(), steps)
    busy, empty = np.zeros(n + 1, dtype=np.bool_), np.ones(n + 1, dtype=np.bool_)
    busy[top[bare]] = True
    empty[top[stated | host]] = False
    below = above(stated | host, parent) < n
    alone = workflow & busy[:n] & empty[:n] & ~below
    name = (
        pl.when(pl.Series(host))
        .then("agent_inside")
        .when(pl.Series(alone))
        .then("workflow_name")
        .otherwise("agent_name")
    )
    basis = pl.when(pl.Series(host)).then(pl.lit("derived")).when(pl.Series(alone)).then(pl.lit("inferred"))
    key = pl.when(pl.Series(host | alone)).then(named(name)).otherwise("own_key")
    return (
        steps.with_columns(
            pl.Series("is_run", stated | host | alone),
            key.alias("own_key"),
            basis.otherwise("agent_basis").alias("agent_basis"),
            pl.when(pl.Series(alone))
            .then(pl.lit("workflow"))
            .when(pl.Series(stated | host))
            .then(pl.lit("agent"))
            .alias("actor_kind"),
        )
        .with_columns(name.alias("agent_name"))
        .drop("agent_inside", "took_turn")
    )


def _turns(steps: pl.DataFrame) -> pl.DataFrame:
    """A step `turn` says whose turn it is: the spans after it below the same parent, to the next turn, are of that agent."""
    turns = steps.filter((pl.col("operation") == "turn") & pl.col("agent_name").is_not_null())
    if turns.is_empty():
        return steps.with_columns(pl.lit(False).alias("took_turn"))
    place = ["trace_id", "parent_span_id"]
    turns = turns.select(*place, "start_time", pl.col("agent_name").alias("whose")).sort("start_time")
    found = steps.select(*place, "span_id", "start_time").sort("start_time", "span_id")
    found = found.join_asof(turns, on="start_time", by=place, strategy="backward", check_sortedness=False)
    steps = steps.join(
        found.select("trace_id", "span_id", "whose"), on=["trace_id", "span_id"], how="left", maintain_order="left"
    )
    new = (
        pl.col("agent_name").is_null() & pl.col("whose").is_not_null() & (pl.col("operation") != "turn").fill_null(True)
    )
    key = named(pl.col("whose"))
    return steps.with_columns(
        pl.when(new).then(key).otherwise("own_key").alias("own_key"),
        pl.when(new).then(pl.lit("inferred")).otherwise("agent_basis").alias("agent_basis"),
        pl.coalesce("agent_name", "whose").alias("agent_name"),
        new.alias("took_turn"),
    ).drop("whose")


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
        .when(pl.col("operation") == "message")
        .then(pl.lit("message"))
        .otherwise(pl.lit(""))
        .alias("role")
    )


def _inherit(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """What a span does not say itself it has from the nearest span above that does."""
    steps = steps.with_columns(pl.col("trigger").alias("trigger_said"))
    for column in ("task_kind", "trigger", "user_id", "conversation_id"):
        above_rows = nearest(flag(pl.col(column).is_not_null(), steps), parent)
        steps = steps.with_columns(take(steps[column], above_rows).alias(column))
    root = nearest(parent == len(parent), parent)
    is_rooted = take(steps.select(IS_FIRST.alias("is_rooted"))["is_rooted"], root).fill_null(False)
    # What an action grants is for those it starts, so that its own grant stands above it.
    grants = flag(pl.col("scope_granted").list.len() > 0, steps)
    granted = np.where(flag(pl.col("role") == "action", steps), above(grants, parent), nearest(grants, parent))
    is_failed = (pl.col("status_code") == "error") | pl.col("error_type").is_not_null()
    stopped = pl.col("state").is_in(["waiting", "control"]).fill_null(False)
    has_own = pl.col("scope_authorized").list.len() > 0
    return steps.with_columns(
        pl.when(has_own)
        .then(pl.col("scope_authorized"))
        .otherwise(take(steps["scope_granted"], granted))
        .alias("grant"),
        pl.when(has_own).then(pl.col("span_id")).otherwise(take(steps["span_id"], granted)).alias("grant_span_id"),
        is_rooted,
        (is_failed & stopped.not_()).alias("is_error"),
        pl.when(stopped.not_()).then("error_type").alias("error_type"),
    )


def _cause(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """Why the work was done: the request at the top of the path, of this user in this conversation.

    Without a request the declared execution stands for the cause; without either the cause is unknown (empty).
    """
    asks = flag(pl.col("request").is_not_null() & pl.col("operation").is_in([*RUNS, "invoke_workflow"]), steps)
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
    executed_rows = nearest(flag(executed.is_not_null(), steps), parent)
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


def _run_totals(steps: pl.DataFrame) -> pl.DataFrame:
    """Cost, tokens and calls of each run with all it delegated, and the model that answered most of its own calls, on the span
    of the run.
    """
    tokens = pl.when("is_counted").then(pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0))
    own = (
        steps.filter(pl.col("run_span_id").is_not_null())
        .group_by("trace_id", "run_span_id")
        .agg(
            pl.col("cost_usd").sum().alias("cost"),
            tokens.sum().alias("tokens"),
            pl.col("output_tokens").filter("is_counted").sum().alias("outputs"),
            pl.col("is_counted").sum().cast(pl.Int64).alias("calls"),
            pl.col("cost_usd").is_not_null().any().alias("has_cost"),
            pl.col("model").filter("is_counted").drop_nulls().mode().min().alias("run_model"),
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
    amounts = ["cost", "tokens", "calls", "outputs", "has_cost"]
    sums = np.zeros((n + 1, len(amounts)))
    sums[:n] = runs.select(pl.col(amounts).cast(pl.Float64).fill_null(0)).to_numpy()
    depths = depth(parent)
    order = np.argsort(-depths, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(depths[order])) + 1):
        np.add.at(sums, parent[rows], sums[rows])
    cost = pl.Series(sums[:n, 0])
    return runs.select("trace_id", "run_span_id", "run_model").with_columns(
        pl.when(pl.Series(sums[:n, 4] > 0)).then(cost).alias("run_cost_usd"),
        pl.Series("run_tokens", sums[:n, 1]).cast(pl.Int64),
        pl.Series("run_calls", sums[:n, 2]).cast(pl.Int64),
        pl.Series("run_output_tokens", sums[:n, 3]).cast(pl.Int64),
    )
