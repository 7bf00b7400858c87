"""What each dollar went into and who started the work: the kind of spend, the starter, and the agents between the two.

- `loop waste`: what was done over with the same outcome, and all below it. That is, from the second on, three or more equal
  actions of a run with equal results or errors less than 30 s apart, and three or more runs of one agent for one run with the
  same request; an agent that works below itself on the same request; and model calls that asked for nothing but such actions.
- `retry waste`: an action or run that failed and was tried again in its run, with all below it; a model call that failed and
  was followed by another. A run that was started anew in another trace counts as what it is.
- `reasoning`: other model calls, and what is declared as reasoning, planning or evaluation.
- `execution`: all else: actions, and what is declared as execution, retrieval or delegation.

The starter is who declared to have delegated the topmost run, else the schedule or event that triggered it, else the user it
works for, else its agent. The way up goes by nesting, then by delegations, also into other traces.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis.identity import named
from actorscope.analysis.paths import Flags, flag, nearest, parent_rows, take, topmost, without_rings
from actorscope.ingest.store.client import Store

KINDS = ("reasoning", "execution", "retry waste", "loop waste")
STARTER = ("starter_id", "starter_name", "starter_type")
_REASONING = ("reasoning", "planning", "evaluation")
_LOOP = 3
_CLOSE = timedelta(seconds=30)
_MOST_BETWEEN = 32
_PLACE = ["trace_id", "span_id"]
_RUN = ["trace_id", "run_span_id"]
_ROOT = ["root_trace_id", "root_span_id"]


def spends(steps: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Woven steps with `spend`, the STARTER columns, `chain` (names from the starter to who spent), `root_trace_id` and
    `root_span_id` on the spans that cost something, the last six on runs; `is_below` says of runs that were only read beside the
    others that one of those lies above.
    """
    runs = _started(steps.filter("is_run"), steps, edges)
    steps = steps.join(runs, left_on=_RUN, right_on=_PLACE, how="left", maintain_order="left")
    costs = pl.col("cost_usd").is_not_null()
    told = costs | pl.col("is_run")
    alone = pl.col("root_span_id").is_null()
    own = _own_starter(pl.lit(None, pl.String))
    name = pl.coalesce("actor_name", pl.lit(""))
    steps = steps.with_columns(
        *(pl.when(told).then(pl.when(alone).then(own[c]).otherwise(pl.col(c))).alias(c) for c in STARTER),
        pl.when(told).then(pl.coalesce("chain", pl.concat_list(name))).alias("chain"),
        pl.when(told).then(pl.coalesce("root_trace_id", "trace_id")).alias("root_trace_id"),
        pl.when(told).then(pl.coalesce("root_span_id", "span_id")).alias("root_span_id"),
    )
    return steps.with_columns(pl.when(costs).then(_kind(steps)).alias("spend"))


def _own_starter(by: pl.Expr) -> dict[str, pl.Expr]:
    """Who started a run, or a span without one, above which nobody is known; `by` is who handed it the work."""
    declared = pl.coalesce("delegator_id", named(pl.col("delegator_name")), by)
    kind = pl.col("delegator_type").replace("user", "human").fill_null("agent")
    clock = pl.col("trigger").is_in(["schedule", "event"]).fill_null(False)
    clock_name = pl.format("{} of {}", "trigger", pl.coalesce("task_kind", "actor_name", pl.lit("unknown")))
    worker = pl.when(pl.col("actor_kind") == "service").then(pl.lit("service")).otherwise(pl.lit("agent"))

    def chosen(by_other: pl.Expr, by_clock: pl.Expr, by_user: pl.Expr, by_itself: pl.Expr) -> pl.Expr:
        known = pl.when(declared.is_not_null()).then(by_other).when(clock).then(by_clock)
        return known.when(pl.col("user_id").is_not_null()).then(by_user).otherwise(by_itself)

    is_user = pl.when(declared == pl.col("user_id")).then(pl.lit("human")).otherwise(kind)
    return {
        "starter_id": chosen(declared, clock_name, pl.col("user_id"), pl.col("actor_id")),
        "starter_name": chosen(pl.coalesce("delegator_name", declared), clock_name, pl.col("user_id"), pl.col("actor_name")),
        "starter_type": chosen(is_user, pl.col("trigger"), pl.lit("human"), pl.when(pl.col("actor_id").is_not_null()).then(worker)),
    }


def _started(runs: pl.DataFrame, steps: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Per run its starter, its root and the chain down to it."""
    up = without_rings(_run_above(runs, steps, edges))
    root = topmost(np.ones(len(up), dtype=np.bool_), up)
    by = edges.filter(pl.col("delegate_span_id").fill_null("") != "").select("delegate_span_id", "delegate_id", by="delegator_id")
    by = by.unique(["delegate_span_id", "delegate_id"], keep="first", maintain_order=True)
    runs = runs.join(
        by, left_on=["span_id", "actor_id"], right_on=["delegate_span_id", "delegate_id"], how="left", maintain_order="left"
    )
    started = runs.with_columns(expression.alias(column) for column, expression in _own_starter(pl.col("by")).items())
    names = started["actor_name"].fill_null("").to_list()
    chains: dict[int, list[str]] = {}
    for row in range(len(up)):
        path = [row]
        while path[-1] not in chains and up[path[-1]] < len(up):
            path.append(int(up[path[-1]]))
        for at in reversed(path):
            if at not in chains:
                chains[at] = [*chains.get(int(up[at]), []), names[at]][-_MOST_BETWEEN:]
    context = flag(pl.col("is_context"), started)
    return started.select(*_PLACE).with_columns(
        *(take(started[c], root) for c in STARTER),
        pl.Series("chain", [chains[row] for row in range(len(up))], dtype=pl.List(pl.String)),
        take(started["trace_id"], root).alias("root_trace_id"),
        take(started["span_id"], root).alias("root_span_id"),
        (pl.Series(nearest(~context, up) < len(up)) & pl.Series(context)).alias("is_below"),
    )


def _run_above(runs: pl.DataFrame, steps: pl.DataFrame, edges: pl.DataFrame) -> Any:
    """For each run the row of the run that it works for: around it, else the one whose act of delegation it follows."""
    acts = edges.filter(pl.col("delegate_span_id").fill_null("") != "").join(steps.select(*_RUN, "span_id"), on=_PLACE)
    acts = acts.filter(pl.col("run_span_id").is_not_null(), pl.col("run_span_id") != pl.col("delegate_span_id"))
    acts = acts.select("delegate_span_id", "delegate_id", act_trace="trace_id", act_run="run_span_id")
    acts = acts.unique(["delegate_span_id", "delegate_id"], keep="first", maintain_order=True)
    found = runs.select(*_PLACE, "actor_id", "parent_run_span_id").join(
        acts, left_on=["span_id", "actor_id"], right_on=["delegate_span_id", "delegate_id"], how="left", maintain_order="left"
    )
    nested = pl.col("parent_run_span_id").is_not_null()
    found = found.select(
        pl.when(nested).then("trace_id").otherwise("act_trace").alias("trace_id"),
        pl.when(nested).then("parent_run_span_id").otherwise("act_run").alias("span_id"),
    )
    rows = runs.select(_PLACE).with_row_index("row")
    found = found.join(rows, on=_PLACE, how="left", maintain_order="left")
    return found["row"].cast(pl.Int64).fill_null(runs.height).to_numpy().copy()


def carried(store: Store, steps: pl.DataFrame, below: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What more than these traces tells. Returns `steps` and the traces (trace_id, start_time) to look at again.

    Where a root lies in a trace that was only read beside, what was found out about it before counts, because more may lie
    above it than was read. Runs `below` these, in traces that were only read beside, may have had another starter so far.
    """
    every = pl.concat([steps.select(_ROOT), below.select(_ROOT)]).drop_nulls().unique()
    beyond = every.join(steps.select(root_trace_id="trace_id").unique(), on="root_trace_id", how="anti")
    asked = pl.concat([beyond["root_trace_id"], below["trace_id"]]).unique().sort()
    if asked.is_empty():
        return steps, below.select("trace_id", "start_time")
    known = store.named("starters", traces=asked.to_list()).cast({"chain": pl.List(pl.String)})
    known = known.rename({c: f"{c}_known" for c in (*STARTER, "chain")})
    roots = known.join(beyond, on=_ROOT, how="semi")
    steps, below = _from(roots, steps), _from(roots, below)
    before = known.rename({"root_trace_id": "trace_id", "root_span_id": "span_id"})
    # As text: there are no operators on lists.
    now, then = _text(""), _text("_known")
    changed = below.join(before, on=_PLACE).filter(now != then)
    return steps, changed.select("trace_id", "start_time").unique("trace_id")


def _text(end: str) -> pl.Expr:
    parts = (f"{column}{end}" for column in STARTER)
    return pl.concat_str(*parts, pl.col(f"chain{end}").list.join("\x1f"), separator="\x1f", ignore_nulls=True)


def _from(roots: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    if roots.is_empty():
        return steps
    steps = steps.join(roots, on=_ROOT, how="left", maintain_order="left")
    is_known = pl.col("starter_id_known").is_not_null()
    steps = steps.with_columns(
        *(pl.when(is_known).then(f"{c}_known").otherwise(c).alias(c) for c in STARTER),
        pl.when(is_known).then(pl.concat_list("chain_known", pl.col("chain").list.slice(1))).otherwise("chain").alias("chain"),
    )
    return steps.drop(f"{c}_known" for c in (*STARTER, "chain"))


def _kind(steps: pl.DataFrame) -> pl.Expr:
    loop, retry = _wasted(steps)
    is_thought = pl.col("phase").is_in(_REASONING) | (pl.col("phase").fill_null("other").eq("other") & pl.col("role").eq("model_call"))
    return (
        pl.when(pl.Series(loop)).then(pl.lit("loop waste"))
        .when(pl.Series(retry)).then(pl.lit("retry waste"))
        .when(is_thought).then(pl.lit("reasoning"))
        .otherwise(pl.lit("execution"))
    )  # fmt: skip


def _wasted(steps: pl.DataFrame) -> tuple[Flags, Flags]:
    """Spans that were done over with the same outcome, and those that were tried again, with all below them."""
    over, failed = _done_over(steps), _tried_again(steps)
    if not over.any() and not failed.any():
        return over, failed
    parent = parent_rows(steps)
    n = steps.height
    return (nearest(over, parent) < n) | _asked_for_nothing_else(steps, over), nearest(failed, parent) < n


def _done_over(steps: pl.DataFrame) -> Flags:
    numbered = steps.with_row_index("row")
    order = ["start_time", "span_id"]
    actions = numbered.filter(pl.col("role") == "action", pl.col("signature").is_not_null(), pl.col("is_replayed").not_())
    outcome = pl.when("is_error").then(pl.col("error_type").fill_null("error").hash()).otherwise(pl.col("result_digest"))
    actions = actions.with_columns(outcome.alias("outcome")).filter(pl.col("outcome").is_not_null())
    key = [*_RUN, "signature", "outcome"]
    close = (pl.col("start_time").diff().over(key, order_by=order) < _CLOSE).fill_null(False)
    again = actions.with_columns(close.alias("again")).filter((pl.col("again").sum().over(key) >= _LOOP - 1) & pl.col("again"))
    runs = numbered.filter("is_run", pl.col("request").is_not_null(), pl.col("parent_run_span_id").is_not_null())
    key = ["trace_id", "parent_run_span_id", "actor_id", "request"]
    repeated = runs.with_columns(pl.int_range(pl.len()).over(key, order_by=order).alias("nth"))
    repeated = repeated.filter((pl.len().over(key) >= _LOOP) & (pl.col("nth") > 0))
    rows = [*again["row"], *repeated["row"], *_below_itself(numbered)]
    return _marked(rows, steps.height)


def _below_itself(numbered: pl.DataFrame) -> list[int]:
    """Runs with a run of the same agent for the same request among those above them."""
    runs = numbered.filter("is_run", pl.col("request").is_not_null(), pl.col("actor_id").is_not_null())
    same = runs.filter(pl.len().over("trace_id", "actor_id", "request") > 1)
    if same.is_empty():
        return []
    every = numbered.filter("is_run", pl.col("trace_id").is_in(same["trace_id"].unique().implode()))
    around = {(t, s): p for t, s, p in every.select(*_PLACE, "parent_run_span_id").iter_rows()}
    what = {(t, s): w for t, s, *w in same.select(*_PLACE, "actor_id", "request").iter_rows()}
    found = []
    for row, trace, span in same.select("row", *_PLACE).iter_rows():
        at, seen = around.get((trace, span)), {span}
        while at is not None and at not in seen:
            if what.get((trace, at)) == what[(trace, span)]:
                found.append(row)
                break
            seen.add(at)
            at = around.get((trace, at))
    return found


def _tried_again(steps: pl.DataFrame) -> Flags:
    numbered = steps.with_row_index("row")
    order = ["start_time", "span_id"]
    actions = numbered.filter(pl.col("role") == "action", pl.col("signature").is_not_null())
    runs = numbered.filter("is_run", pl.col("parent_run_span_id").is_not_null(), pl.col("actor_id").is_not_null())
    calls = numbered.filter("is_counted", pl.col("run_span_id").is_not_null())
    rows: list[int] = []
    for tries, key in (
        (actions, [*_RUN, "signature"]),
        (runs, ["trace_id", "parent_run_span_id", "actor_id", "request"]),
        (calls, _RUN),
    ):
        last = pl.int_range(pl.len()).over(key, order_by=order) == pl.len().over(key) - 1
        rows += tries.filter(pl.col("is_error") & last.not_())["row"].to_list()
    return _marked(rows, steps.height)


def _asked_for_nothing_else(steps: pl.DataFrame, over: Flags) -> Flags:
    """Model calls all of whose actions were done over."""
    asked = steps.with_columns(pl.Series("over", over)).filter(pl.col("role") == "action", pl.col("turn_span_id").is_not_null())
    vain = asked.group_by("trace_id", span_id="turn_span_id").agg(pl.col("over").all()).filter("over")
    found = steps.select(_PLACE).join(vain, on=_PLACE, how="left", maintain_order="left")
    return np.asarray(found["over"].fill_null(False).to_numpy(), dtype=np.bool_)


def _marked(rows: list[int], n: int) -> Flags:
    marked = np.zeros(n, dtype=np.bool_)
    marked[rows] = True
    return marked
