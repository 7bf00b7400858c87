"""What was worked out about touched traces is kept: facts and delegations that are new or changed since they were touched
before. What is no longer so is taken back, also from the rollups that were made of it.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from actorscope.analysis.delegations import EDGE
from actorscope.analysis.detector import WRITES
from actorscope.analysis.frames import Touched
from actorscope.analysis.reading import chunks, nulls
from actorscope.analysis.spends import STARTER
from actorscope.ingest.store.client import Store

_FACTS = (
    "trace_id", "span_id", "start_time", "role", "run_span_id", "parent_run_span_id", "actor_id", "actor_name",
    "actor_basis", "actor_kind", "caller_id", "caller_name", "task_kind", "trigger", "user_id", "conversation_id",
    "cause_id", "cause_basis",
    "is_error", "is_counted", "cost_usd", "cost_source", "attempt", "tool_name", "side_effect", "signature", "is_replayed",
    "idempotency_digest", "cause_request", "run_cost_usd", "run_tokens", "run_output_tokens", "run_calls", "run_model",
    "asked_arguments", "input_digest",
    "error_type", "approval_id", "approval_status", "approver_type", "approver_id", "approval_basis",
    "authz_outcome", "state", "targets",
    *STARTER, "chain", "root_trace_id", "root_span_id", "spend", "phase", "tenant", "model", "principal_id", "credential_id",
    "credential_type", "scope_used", "host_name", "agent_version", "dialect", "service_name", "input_tokens", "output_tokens",
)  # fmt: skip


_ID = ["trace_id", "span_id"]
_EFFECT = [*_ID, "signature", "start_time"]
_RUN = [*_ID, "actor_id", "start_time"]
_MARGIN = timedelta(days=1)


def keep(store: Store, touched: Touched, version: int) -> pl.DataFrame:
    """Write what is new or changed of the touched traces as of `version`; returns what was known of them before."""
    traces = _judged(store, touched.steps)
    known = pl.concat([store.named("known_facts", traces=c.to_list()) for c in chunks(traces, 2000)])
    known = nulls(known.cast({"trace_id": pl.String, "span_id": pl.String, "fact_digest": pl.UInt64}))
    means = (pl.col("role") != "") | pl.col("actor_id").is_not_null()
    facts = touched.steps.join(known.select(*_ID, pl.lit(True).alias("is_known")), on=_ID, how="left")
    targets = pl.col("aims").list.eval(pl.element().struct.field("target")).alias("targets")
    facts = facts.filter(means | pl.col("is_known").is_not_null())
    spent = (pl.when(pl.col("cost_usd").is_not_null()).then(c).alias(c) for c in ("phase", "tenant", "model"))
    facts = facts.with_columns(targets, *spent).select(_FACTS)
    is_write = pl.col("signature").is_not_null() & pl.col("side_effect").is_in(WRITES)
    facts = facts.with_columns(pl.when(is_write).then(pl.col("cause_request").str.slice(0, 1000)))
    facts = facts.with_columns(pl.struct(pl.all()).hash(7).alias("fact_digest"))
    store.insert_frame("span_facts", _to_store(facts.join(known, on=[*_ID, "fact_digest"], how="anti"), version))
    _take_back(store, known, facts, version)
    _keep_edges(store, touched.edges, traces, version)
    return known


def _judged(store: Store, steps: pl.DataFrame) -> pl.Series:
    """The traces that were looked at before: most are new, and of these nothing is known."""
    if steps.is_empty():
        return steps["trace_id"]
    low, high = steps.select(low=pl.col("start_time").min(), high=pl.col("start_time").max()).row(0)
    bounds = {"from": low - _MARGIN, "to": high + _MARGIN}
    pieces = chunks(steps["trace_id"].unique().sort(), 5000)
    return pl.concat(store.named("judged", traces=c.to_list(), **bounds) for c in pieces)["trace_id"].sort()


def _take_back(store: Store, known: pl.DataFrame, facts: pl.DataFrame, version: int) -> None:
    """Rows of `runs`, `spends` and `effects` whose span turned out to be something else, or somebody else's."""
    runs = known.filter(pl.col("role").is_in(["run", "echo"]))
    runs = runs.join(facts.filter(pl.col("role").is_in(["run", "echo"])), on=_RUN, how="anti", nulls_equal=True)
    void = pl.lit(True).alias("is_void")
    if runs.height:
        store.insert_frame("runs", _to_store(runs.select(*_RUN, void), version))
    spent = known.filter(pl.col("cost_usd").is_not_null())
    spent = spent.join(facts.filter(pl.col("cost_usd").is_not_null()), on=[*_ID, "start_time"], how="anti")
    if spent.height:
        store.insert_frame("spends", _to_store(spent.select(*_ID, "start_time", void), version))
    effects = known.filter(
        pl.col("role") == "action", pl.col("signature").is_not_null(), pl.col("side_effect").is_in(WRITES)
    )
    is_effect = (pl.col("role") == "action") & pl.col("side_effect").is_in(WRITES)
    effects = effects.join(facts.filter(is_effect), on=_EFFECT, how="anti", nulls_equal=True)
    if effects.height:
        store.insert_frame("effects", _to_store(effects.select(*_EFFECT, void), version))


def _keep_edges(store: Store, found: pl.DataFrame, traces: pl.Series, version: int) -> None:
    edges = found.with_columns(pl.lit(False).alias("is_gone"), pl.col("delegate_span_id").fill_null(""))
    parts = [store.named("known_delegations", traces=c.to_list()) for c in chunks(traces, 2000) if c.len()]
    before = pl.concat([pl.DataFrame(schema=EDGE), *(part.cast(EDGE) for part in parts)])
    before = before.with_columns(pl.lit(False).alias("is_gone"), pl.col("delegate_span_id").fill_null(""))
    key = ["trace_id", "span_id", "delegate_span_id"]
    gone = before.join(edges, on=key, how="anti").with_columns(pl.lit(True).alias("is_gone"))
    changed = edges.join(before, on=edges.columns, how="anti", nulls_equal=True)
    store.insert_frame("delegation_rows", _to_store(pl.concat([changed, gone]), version))


def _to_store(frame: pl.DataFrame, version: int) -> pl.DataFrame:
    return frame.with_columns(
        pl.col("trace_id", "span_id").str.decode("hex"), pl.lit(version, pl.UInt64).alias("version")
    ).with_columns(pl.col(pl.String).fill_null(""), pl.col(pl.List(pl.String)).fill_null([]))
