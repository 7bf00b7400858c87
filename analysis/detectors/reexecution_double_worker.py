"""Two agents handled the same request, and both wrote.

**What it finds.** A successful write for a request for which another agent had written with the same tool in another trace
within a day (X7): two workers took the same job. Equal writes are what *duplicate write* tells; here the arguments differ.

**Why it matters.** What was to be done once is done twice, and not even in the same way.

**Evidence and basis.** The later write accuses. That the request is the same is derived from its text, user and conversation.

**What it cannot know.** Requests without a user or a conversation on record are not compared: they may come from two people. Two
instances of one agent are one worker.

**False positives.** An agent that hands a request on word for word to a helper in a trace of its own: where the delegation is
on record, and the two traces are joined by it, nothing is said.

**Next step.** Let the queue give a job to one worker; check at the receiver what both did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, weakest
from actorscope.analysis.reruns import first_of, rerun


@dataclass(frozen=True)
class Config:
    """Thresholds of the double worker."""

    window_hours: float = 24.0
    """How long ago the other agent may have handled the request."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per write for a request that another agent had handled."""
    writes = (
        frames["actions"]
        .filter(
            "is_settled",
            pl.col("side_effect").is_in(WRITES),
            pl.col("is_error").not_(),
            pl.col("is_replayed").not_(),
            pl.col("actor_id").is_not_null(),
            pl.col("user_id").is_not_null() | pl.col("conversation_id").is_not_null(),
            pl.col("trigger").fill_null("") != "schedule",
        )
        .unique(["trace_id", "span_id"])
    )
    first = frames["cause_writes"].rename({"at": "start_time"})
    first = first.rename({c: f"first_{c}" for c in first.columns if c not in ("cause_id", "tool_name")})
    gap = pl.col("start_time") - pl.col("first_start_time")
    pairs = writes.join(first, on=["cause_id", "tool_name"]).filter(
        pl.col("first_trace_id") != pl.col("trace_id"),
        pl.col("first_actor_id") != pl.col("actor_id"),
        pl.col("first_signature").ne_missing(pl.col("signature")),
        (gap > timedelta(0)) & (gap <= timedelta(hours=config.window_hours)),
    )
    pairs = pairs.join(_joined(frames["delegations"]), on=["actor_id", "first_actor_id"], how="anti")
    pairs = pairs.sort("first_start_time", "first_span_id").unique(["trace_id", "span_id"], keep="last")
    return [_signal(pair) for pair in rows(pairs.sort("start_time", "span_id"))]


def _joined(edges: pl.DataFrame) -> pl.DataFrame:
    """Pairs of agents one of which delegated to the other."""
    known = edges.select(pl.col("delegator_id").alias("actor_id"), pl.col("delegate_id").alias("first_actor_id")).drop_nulls()
    back = known.select(pl.col("first_actor_id").alias("actor_id"), pl.col("actor_id").alias("first_actor_id"))
    return pl.concat([known, back]).unique()


def _signal(pair: dict[str, Any]) -> Signal:
    first = first_of(pair)
    again = rerun(pair, [{**first, "cause_id": pair["cause_id"]}])
    return Signal(
        rule="X7",
        severity="high" if pair["side_effect"] == "destructive" else "medium",
        confidence=0.75,
        title=f"{pair['actor_name'] or 'An agent'} and {first['actor_id']} both used {pair['tool_name']} for one request",
        subject_id=pair["actor_id"],
        subject_name=pair["actor_name"] or "",
        scope=("double worker", pair["cause_id"], pair["tool_name"]),
        trace_id=pair["trace_id"],
        span_id=pair["span_id"],
        at=pair["start_time"],
        evidence=(
            Evidence(first["trace_id"], first["span_id"], "context: first worker", f"{first['actor_id']} had handled the request"),
            Evidence(pair["trace_id"], pair["span_id"], "second worker", "wrote for the same request"),
        ),
        baseline={
            "level": "cause",
            "expected": "one agent per request",
            "observed": 2,
            "cause_class": again.kind,
            "cause_class_basis": again.basis,
            "cause_class_why": again.why,
        },
        counterfactual=f"silent had {pair['span_id']} failed, or had {first['actor_id']} done both",
        edits=(Edit(pair["trace_id"], pair["span_id"], "status_code", "error"),),
        impact={"duplicate_effects": 1, "target": pair["target"] or "", "cost_usd": pair["cost_usd"]},
        basis=weakest("derived", pair["side_effect_basis"]),
        caveats=("a helper that got the request word for word looks the same where the delegation is not on record",),
    )


DETECTOR = Detector(
    id="reexecution_double_worker",
    family="reexecution",
    title="Double worker",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "actor_id", "actor_name", "tool_name", "signature", "side_effect", "side_effect_basis", "is_error",
            "is_replayed", "cause_id", "user_id", "conversation_id", "trigger", "target", "cost_usd", "is_settled", "start_time",
        ),
        "cause_writes": ("cause_id", "tool_name", "at", "trace_id", "span_id", "actor_id", "signature"),
        "delegations": ("delegator_id", "delegate_id"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Let the queue give a job to one worker; check at the receiver what both did.",
    quiet_hours=float("inf"),
)  # fmt: skip
