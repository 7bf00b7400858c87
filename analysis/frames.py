"""The frames that detectors may ask for, and how they are filled from new data.

| frame | one row per |
| --- | --- |
| `runs` | run of an agent in the touched traces |
| `actions` | tool call or other action in them |
| `code_steps` | step of a run in which no tool failed: what fails there is code of the agent's own |
| `code_outputs` | step with an answer of a model in it and an output, with how much of that was new (see `analysis/news.py`) |
| `costs` | span with a cost in them |
| `unpriced` | model call without a price in the first trace of a day that took many tokens of an agent and model so |
| `stretches` | model call in them of a run with many (`stretches.STRETCH`) |
| `delegations` | act of delegation in them |
| `first_runs` | one of the earliest runs of an (actor, task kind) that is touched |
| `first_uses` | one of the earliest runs that used a tool, per touched (actor, task kind, tool) |
| `run_costs` | one of the latest runs of a touched (actor, task kind, unit) with what it took; units are those of `spending.measures` |
| `wider_costs` | one of the latest runs per `level`: of a touched actor, or of any actor for a touched task kind (`peers`) |
| `phase_costs` | one of the latest runs of a touched (actor, task kind, phase) with what the phase cost |
| `nth_uses` | one of the earliest runs with so many uses of a tool, from the second to the eighth that succeeded, `nth` as text |
| `learned_tools` | writing tool that several runs of a touched (actor, task kind) used, with its first use |
| `effects` | successful write with the signature of a touched one, ever |
| `cause_writes` | early write with a tool of a touched one for the same request |
| `failures` | early failure of a tool in the way and in the minutes of a touched one |
| `budgets` | budget of the settings and window that is touched, with what was spent (`budgets.WINDOW`) |
| `burns` | such a budget and a touched minute, with what was spent in two windows that end with it (`budgets.BURN`) |
| `hand_offs` | one of the latest times that control was passed on in a touched conversation or cause |
| `run_shapes` | one of the latest runs of a touched actor that had many delegates or levels below it |
| `tasks` | task that an agent of them gave to another one to which it gave several |
| `targets` | touched action and target that it acts on, with where the target came from (see `analysis/origins.py`) |
| `first_targets` | one of the earliest runs that used a target, per touched (actor, task kind, target) |
| `grants` | touched span that says something of a delegation, with what the delegation above says |
| `approvals` | touched span that says what became of an approval |
| `custody` | early use of a touched credential or approval by an actor on a day |
| `whereabouts` | one of the latest runs of a touched instance of an agent, with its host |
| `revocations` | touched grant or credential that was taken back |
| `growth` | tool and class of resource that an actor with a new one in these traces used, and when first (`growth.py`) |
| `young` | touched run that is one of the first of a new version of its agent (for no detector) |
| `again` | trace to judge again because of these (for no detector) |
| `revised` | subject of whom something else is usual now since a moment (for no detector) |
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from actorscope.analysis import (
    baselines,
    custody,
    grace,
    growth,
    hindsight,
    holdings,
    news,
    origins,
    outlay,
    repeats,
    revocations,
    scopes,
    stitch,
    turns,
)  # fmt: skip
from actorscope.analysis.authority import STATES, authorities
from actorscope.analysis.budgets import Budgets, nothing
from actorscope.analysis.delegations import delegations
from actorscope.analysis.detector import WRITES
from actorscope.analysis.hands import hand_offs
from actorscope.analysis.reading import chunks, lean, nulls
from actorscope.analysis.shapes import shapes
from actorscope.analysis.spends import spends
from actorscope.analysis.tasks import tasks
from actorscope.analysis.told import told
from actorscope.analysis.weave import CALLS, weave
from actorscope.analysis.whereabouts import whereabouts
from actorscope.ingest.store.client import Store
from actorscope.semconv.generated.events import ACTORSCOPE_SPAN_HEARTBEAT, ACTORSCOPE_SPAN_START

log = logging.getLogger(__name__)
FRAMES = (
    "runs", "actions", "code_steps", "code_outputs", "costs", "unpriced", "stretches", "delegations", "first_runs",
    "first_uses", "nth_uses", "learned_tools", "run_costs", "wider_costs", "phase_costs", "effects", "cause_writes",
    "failures", "budgets", "burns", "hand_offs", "run_shapes", "tasks", "targets", "first_targets", "grants",
    "approvals", "custody", "whereabouts", "revocations", "growth", "young", "again",
    "revised",
)  # fmt: skip
IS_NOTICE = pl.col("event_name").is_in([ACTORSCOPE_SPAN_START, ACTORSCOPE_SPAN_HEARTBEAT]).fill_null(False)
"""The log record says that a span is open, and nothing more of it."""
_MARGIN = timedelta(days=1)
_MOST_ALIKE = 4
"""Traces that are looked at for one thing in common: a conversation may be long, and the nearest ones tell."""
_MOST_RELATED = 2000
_APART = timedelta(minutes=10)
"""How far apart two reports of one model call may begin, at most; the call itself may take long."""
_NOT_READ = (
    "received_at", "trace_state", "flags", "scope_name", "scope_version", "attributes", "attribute_types", "resource_attributes",
    "event_times", "event_names", "event_attributes", "link_attributes", "dropped_count", "arguments", "result",
)  # fmt: skip


@dataclass(frozen=True)
class Touched:
    """All known spans of the traces that new spans belong to, woven."""

    steps: pl.DataFrame
    edges: pl.DataFrame
    below: pl.DataFrame
    """Runs that work for runs of these, in traces that were only read beside them."""


def read(store: Store, arrivals: pl.DataFrame) -> pl.DataFrame:
    """The known spans of the traces in `arrivals` (trace_id, start_time) and of those that go on from them or before
    them, with what log records say of them; empty text as null.

    `is_context` marks spans of traces that are only there so that the others are seen whole: what follows for them
    may be incomplete.
    """
    low, high = arrivals.select(low=pl.col("start_time").min(), high=pl.col("start_time").max()).row(0)
    bounds = {"from": low - _MARGIN, "to": high + _MARGIN}
    wanted = set(arrivals["trace_id"])
    known, spans = set(wanted), _spans(store, wanted, bounds)
    parts = [spans]
    for is_context in (False, True):
        new = _related(store, spans, bounds) - known
        if not new:
            break
        known |= new
        spans = _spans(store, new, bounds)
        parts.append(spans.with_columns(pl.lit(is_context).alias("is_context")))
    return lean(pl.concat(parts))


def _related(store: Store, spans: pl.DataFrame, bounds: Mapping[str, datetime]) -> set[str]:
    """Traces that share a delegation, a task, a conversation, a model call or a waiting call with these, or a span link."""
    found = stitch.linked(spans) | _alike(store, stitch.keys(spans), bounds)
    services, own = stitch.waiting(spans)
    if _alike(store, services, bounds):
        found |= _alike(store, own, bounds)
    found |= _same_calls(store, spans) | _done_elsewhere(store, spans)
    found -= set(spans["trace_id"])
    if len(found) > _MOST_RELATED:
        log.warning("%d traces belong to the new ones; %d are looked at", len(found), _MOST_RELATED)
    return set(sorted(found)[:_MOST_RELATED])


def _done_elsewhere(store: Store, spans: pl.DataFrame) -> set[str]:
    """Traces in which a call that waits in these was carried out; of a service that records results."""
    calls = spans.filter(pl.col("operation") == "execute_tool", pl.col("service_name").is_not_null())
    speaks = calls.filter("has_result")["service_name"].unique()
    bare = (
        pl.col("has_result").not_() & (pl.col("side_effect") != "read") & pl.col("service_name").is_in(speaks.implode())
    )
    waits = calls.filter((pl.col("state") == "waiting") | bare)
    call = waits.select("service_name", pl.coalesce("tool_call_id", "input_digest").alias("call")).drop_nulls()
    if call.is_empty():
        return set()
    low, high = waits.select(low=pl.col("start_time").min(), high=pl.col("start_time").max()).row(0)
    services, ids = call["service_name"].unique().sort().to_list(), call["call"].unique().sort().to_list()
    return set(
        store.named("done_calls", services=services, calls=ids, **{"from": low, "to": high + _MARGIN})["trace_id"]
    )


def _alike(store: Store, keys: list[str], bounds: Mapping[str, datetime]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(pl.Series(keys, dtype=pl.String), 20_000) if keys else []:
        found |= set(store.named("related", keys=chunk.to_list(), most=_MOST_ALIKE, **bounds)["trace_id"])
    return found


def _same_calls(store: Store, spans: pl.DataFrame) -> set[str]:
    """Traces in which a model call of these is reported too; one of the two reports then is alone in its trace."""
    calls = spans.filter(pl.col("operation").is_in(CALLS), pl.col("service_name").is_not_null())
    if calls.is_empty():
        return set()
    low, high = calls.select(low=pl.col("start_time").min(), high=pl.col("end_time").max()).row(0)
    place = {"services": calls["service_name"].unique().sort().to_list(), "from": low - _APART, "to": high + _APART}
    lone = nulls(store.named("lone_calls", **place))
    if lone.is_empty():
        return set()
    mine = calls.select("service_name", "response_id", "input_tokens").unique()
    ids = mine.drop_nulls("response_id").join(lone, on=["service_name", "response_id"])
    bare = lone.filter(pl.col("response_id").is_null()).join(mine, on=["service_name", "input_tokens"])
    own = set(spans["trace_id"])
    known = lone.filter(pl.col("trace_id").is_in(list(own)), pl.col("response_id").is_not_null())
    same = (
        store.named("same_calls", responses=known["response_id"].unique().sort().to_list(), **place)
        if known.height
        else known
    )
    near = lone.filter(pl.col("trace_id").is_in(list(own)), pl.col("response_id").is_null())
    bare_mine = lone.join(near, on=["service_name", "input_tokens"], how="semi")
    return {*ids["trace_id"], *bare["trace_id"], *same["trace_id"], *bare_mine["trace_id"]}


def _spans(store: Store, traces: set[str], bounds: Mapping[str, datetime]) -> pl.DataFrame:
    pieces = chunks(pl.Series(sorted(traces), dtype=pl.String), 2000)
    spans = nulls(pl.concat(store.named("trace_spans", traces=c.to_list(), **bounds) for c in pieces))
    spans = spans.with_columns(pl.col("has_result", "has_object", "is_paged").cast(pl.Boolean))
    logs = nulls(pl.concat(store.named("trace_logs", traces=c.to_list(), **bounds) for c in pieces))
    limited = set(spans.filter(scopes.is_limited())["trace_id"])
    texts = pl.concat(
        store.named("arguments", traces=some, every=every, **bounds)
        for c in pieces for every, some in ((False, [t for t in c if t not in limited]), (True, [t for t in c if t in limited]))
        if some or not every
    )  # fmt: skip
    aims = texts.select("trace_id", "span_id", origins.aims(pl.col("arguments")).alias("aims"))
    spans = told(spans, logs).join(aims, on=["trace_id", "span_id"], how="left", maintain_order="left")
    return spans.with_columns(pl.lit(False).alias("is_context"))


def unstored(spans: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """Rows of `span_rows` and `log_rows` that are in no store, as `read` returns them."""
    ids = ["trace_id", "span_id"]
    spans = spans.with_columns(
        pl.col(*ids, "parent_span_id").bin.encode("hex"),
        pl.col("link_trace_ids", "link_span_ids").list.eval(pl.element().bin.encode("hex")),
        (pl.col("result") != "").fill_null(False).alias("has_result"),
        (
            pl.col("arguments").str.starts_with("{")
            | (pl.col("arguments").is_null() & pl.col("input_digest").is_not_null())
        )
        .fill_null(False)
        .alias("has_object"),
        *turns.sketched(),
    )
    spans = nulls(spans).unique(ids, keep="first", maintain_order=True)
    if logs.height:
        logs = logs.filter(IS_NOTICE.not_())
    spans = told(spans, nulls(logs.with_columns(pl.col(ids).bin.encode("hex"))))
    spans = spans.with_columns(origins.aims(pl.col("arguments")).alias("aims"))
    return spans.drop(_NOT_READ).with_columns(is_context=pl.lit(False))


def touch(spans: pl.DataFrame, overdue: frozenset[str] = frozenset()) -> Touched:
    """Weave the spans of the touched traces, without those that were only read beside them."""
    steps, edges = woven(spans, overdue)
    ours = steps.filter("is_context").select("trace_id").unique()
    below = steps.filter("is_context", "is_run", "is_below")
    return Touched(steps.filter(pl.col("is_context").not_()), edges.join(ours, on="trace_id", how="anti"), below)


def woven(spans: pl.DataFrame, overdue: frozenset[str] = frozenset()) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All steps, and the delegations between them.

    `is_settled` says that a span's place will not change what it means: nothing above it is missing, or its trace is
    `overdue` and what is missing will not come.
    """
    steps = origins.aim(weave(spans))
    steps = steps.with_columns((pl.col("is_rooted") | pl.col("trace_id").is_in(list(overdue))).alias("is_settled"))
    edges = stitch.stitch(steps, delegations(steps))
    steps = turns.turns(stitch.callers(steps, edges))
    signature = pl.when(pl.col("input_digest").is_not_null() & pl.col("tool_name").is_not_null()).then(
        pl.format("{} {}", "tool_name", "input_digest")
    )
    steps = authorities(steps).with_columns(signature.alias("signature"), pl.col("replayed").fill_null(False).alias("is_replayed"))
    return spends(steps, edges), edges


def fill(
    store: Store, touched: Touched, before: pl.DataFrame, version: int, fingerprint: Callable[[str], str] | None = None,
    budgets: Budgets | None = None,
) -> dict[str, pl.DataFrame]:
    """Every frame of FRAMES for the touched traces; `before` is what was known of them (`keeping.keep` returns it).

    `fingerprint` is that of the intake where it keeps no content: what grants name is then compared by it.
    """
    steps = touched.steps
    runs = steps.filter("is_run")
    actions = scopes.used(steps.filter(pl.col("role") == "action"), fingerprint)
    before = before.with_columns(is_settled=pl.lit(True), is_outward=origins.is_outward("targets"))
    old_runs, old_uses = before.filter(pl.col("role") == "run"), _outward(before)
    old_tools, since = baselines.members(old_uses), baselines.Since()
    uses = baselines.remember(store, baselines.FIRST_USES, baselines.members(_outward(actions)), version, old_tools, since)
    first_runs = baselines.remember(store, baselines.FIRST_RUNS, baselines.members(runs), version, baselines.members(old_runs), since)
    targets = origins.trace(store, origins.uses(actions), steps)
    uses_of_authority, again = custody.keep(store, actions, version)
    reaches, crept = growth.grow(store, actions, before, version)
    holdings.keep(store, steps, actions)
    offered = {
        "young": grace.young(store, runs, version),
        "runs": runs,
        "actions": actions,
        "code_steps": turns.code_steps(steps),
        "code_outputs": news.code_outputs(store, steps),
        **outlay.frames(store, steps, old_runs, version, since),
        "delegations": touched.edges,
        "first_runs": first_runs,
        "first_uses": uses,
        "nth_uses": baselines.remember(
            store, baselines.NTH_USES, _nth(_outward(actions).filter(pl.col("is_error").not_())), version, _nth(old_uses), since
        ),
        "learned_tools": baselines.remember(
            store, baselines.LEARNED_TOOLS, _learned(uses), version, _as_tools(pl.concat([uses, old_tools.select(uses.columns)]))
        ).rename({"trace_id": "tool_name"}),
        "effects": _effects(store, actions),
        "cause_writes": repeats.cause_writes(store, actions, before, version),
        "failures": repeats.failures(store, actions, before, version, since),
        **(budgets.frames(steps, before, version) if budgets else nothing()),
        "hand_offs": hand_offs(store, steps, touched.edges, version, since),
        "run_shapes": baselines.remember(store, baselines.RUN_SHAPES, shapes(runs), version, shapes(old_runs), since),
        "tasks": tasks(store, runs, touched.edges),
        "targets": targets,
        "first_targets": baselines.remember(
            store, origins.FIRST_TARGETS, origins.members(targets, first_runs), version, origins.memories(before), since
        ).with_columns(origins.origin_of().alias("origin")),
        "grants": scopes.widened(steps.filter(STATES)),
        "approvals": steps.filter(pl.col("approval_status").is_not_null(), pl.col("role") != "action"),
        "custody": uses_of_authority,
        "whereabouts": whereabouts(store, runs, version, since),
        "revocations": revocations.of(store, actions),
        "growth": reaches,
    }
    later = hindsight.traces(store, since, offered).join(steps.select("trace_id").unique(), on="trace_id", how="anti")
    return {**offered, "again": pl.concat([again, crept, later.unique("trace_id")]), "revised": hindsight.revised(since, offered)}


def _outward(actions: pl.DataFrame) -> pl.DataFrame:
    return actions.filter("is_outward", pl.col("tool_name").is_not_null())


def _nth(actions: pl.DataFrame) -> pl.DataFrame:
    """The uses of a tool within one run after the first, `nth` from "2" on; a run that uses it more often than that says no more."""
    nth = pl.int_range(1, pl.len() + 1).over("trace_id", "actor_id", "task_kind", "tool_name").alias("nth")
    uses = baselines.members(actions).unique(["trace_id", "span_id"], keep="first", maintain_order=True).with_columns(nth)
    return uses.filter(pl.col("nth").is_between(2, 8)).with_columns(pl.col("nth").cast(pl.String))


def _tool_writes(actions: pl.DataFrame) -> pl.DataFrame:
    return actions.filter(pl.col("side_effect").is_in(WRITES), pl.col("tool_name").is_not_null())


def _learned(uses: pl.DataFrame) -> pl.DataFrame:
    """Tools that so many runs used that they are part of the kind."""
    tools = uses.group_by("actor_id", "task_kind", "tool_name").agg(pl.col("at").min(), pl.len().alias("runs"))
    tools = tools.filter(pl.col("runs") >= 3).with_columns(pl.lit(0.0).alias("value"))
    return _as_tools(tools).sort("at", "trace_id")


def _as_tools(uses: pl.DataFrame) -> pl.DataFrame:
    return uses.drop("trace_id", strict=False).rename({"tool_name": "trace_id"})


def _effects(store: Store, actions: pl.DataFrame) -> pl.DataFrame:
    signatures = _tool_writes(actions)["signature"].drop_nulls().unique().sort()
    parts = [store.named("effects", signatures=c.to_list()) for c in chunks(signatures, 2000)]
    return nulls(pl.concat(parts))


def later_repetitions(touched: Touched, offered: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Traces that were not touched and in which a touched write was done again later for what may be the same cause, by
    whomever.
    """
    writes = _tool_writes(touched.steps.filter(pl.col("role") == "action")).filter(pl.col("is_error").not_())
    writes = writes.select("signature", "cause_id", "conversation_id", at="start_time")
    effects = offered["effects"]
    later = effects.join(writes, on="signature", suffix="_first").filter(pl.col("start_time") > pl.col("at"))
    cause = pl.col("cause_id").fill_null("")
    related = (cause == pl.col("cause_id_first")) | (pl.col("conversation_id") == pl.col("conversation_id_first"))
    unknown = (cause == "") | cause.str.starts_with("execution:")
    later = later.filter(related.fill_null(False) | unknown).select("trace_id", "start_time")
    ours = touched.steps.select("trace_id").unique()
    later = pl.concat([later, repeats.later_workers(ours, offered["cause_writes"])])
    return later.join(ours, on="trace_id", how="anti").unique("trace_id")
