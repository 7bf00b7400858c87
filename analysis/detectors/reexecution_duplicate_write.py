"""The same successful write was done again for the same cause.

**What it finds.** A write with the same tool and the same canonical arguments as an earlier successful one: in the same
trace (X1), or in another trace for the same cause or for no recorded cause (X6).

**Why it matters.** Money is sent twice, a mail goes out twice. In real traffic the same successful write twice in one run
is nearly always a fault (0.4 % of runs), while equal writes for different requests are normal and stay silent.

**Evidence and basis.** The repeated write accuses; the first one is context. The basis is that of the effect class and of
the cause: declared, derived from the request, or inferred.

**What it cannot know.** Effects without recorded arguments, and whether the receiver ignored the repetition.

**False positives.** Writes that are meant to be repeated with equal arguments. An honoured idempotency key is only info;
a write that a journal served (`actorscope.action.replayed`), a failed first attempt, and a write to a declared target that was
changed otherwise in between are not counted at all.

**Next step.** Check at the receiver whether both took effect; give the action an idempotency key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, weakest
from actorscope.analysis.moments import length
from actorscope.analysis.reruns import first_of, rerun

_GRAVE = re.compile(
    r"(?:^|[^a-z])(?:pay|payment|transfer|refund|charge|wire|purchase|order|buy|sell|invoice|send|email|mail|message|sms|"
    r"post|publish|delete|remove|cancel|revoke|grant)(?:[^a-z]|$)"
)


@dataclass(frozen=True)
class Config:
    """Thresholds of the duplicate effect."""

    window_days: float = 30.0
    """How long ago the first write may lie."""
    same_request: float = 0.4
    """Share of the shorter request's words in the other from which two requests of one conversation are the same."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per repeated write."""
    writes = (
        frames["actions"]
        .filter(
            "is_settled",
            pl.col("side_effect").is_in(WRITES),
            pl.col("signature").is_not_null(),
            pl.col("is_error").not_(),
            pl.col("replayed").fill_null(False).not_(),
        )
        .unique(["trace_id", "span_id"])
    )
    earlier = (
        frames["effects"]
        .unique(["trace_id", "span_id"])
        .rename({c: f"first_{c}" for c in frames["effects"].columns if c != "signature"})
    )
    pairs = (
        writes.join(earlier, on="signature")
        .with_columns(_is_kin(config).alias("is_kin"))
        .filter(
            (pl.col("first_start_time") < pl.col("start_time"))
            | ((pl.col("first_start_time") == pl.col("start_time")) & (pl.col("first_span_id") < pl.col("span_id"))),
            pl.col("start_time") - pl.col("first_start_time") <= timedelta(days=config.window_days),
            _is_same_cause(),
        )
    )
    pairs = pairs.join(_changed(pairs, writes), on=["trace_id", "span_id", "first_span_id"], how="anti")
    counted = pairs.with_columns(pl.len().over("trace_id", "span_id").alias("times"))
    nearest = counted.sort("first_start_time", "first_span_id").unique(["trace_id", "span_id"], keep="last")
    return [_signal(pair) for pair in rows(nearest.sort("start_time", "span_id"))]


def _changed(pairs: pl.DataFrame, writes: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one trace between which something else was written to the same declared target: the state was another one."""
    mine = pairs.filter(pl.col("trace_id") == pl.col("first_trace_id"), pl.col("target").is_not_null())
    between = mine.join(writes.select("trace_id", "target", "signature", "start_time"), on=["trace_id", "target"], suffix="_other")
    return between.filter(
        pl.col("signature_other") != pl.col("signature"),
        pl.col("start_time_other") > pl.col("first_start_time"),
        pl.col("start_time_other") < pl.col("start_time"),
    )


def _is_kin(config: Config) -> pl.Expr:
    """The same person asked for nearly the same in the same conversation: the same cause in other words, inferred."""
    talk = (pl.col("conversation_id") == pl.col("first_conversation_id")) & pl.col("conversation_id").is_not_null()
    person = pl.col("user_id").fill_null("") == pl.col("first_user_id").fill_null("")
    words, first = _words("cause_request"), _words("first_cause_request")
    shared = words.list.set_intersection(first).list.len()
    alike = shared / pl.min_horizontal(words.list.len(), first.list.len()).clip(1)
    return (talk & person & (alike >= config.same_request)).fill_null(False)


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.extract_all(r"[\p{L}\p{N}@.#_-]+").list.unique()


def _is_same_cause() -> pl.Expr:
    """In one trace unless both causes are known and differ; across traces the same cause, or none on record.

    A run's own execution id tells runs apart but does not say what they were for.
    """
    cause, first = pl.col("cause_id").fill_null(""), pl.col("first_cause_id").fill_null("")
    same_trace = pl.col("trace_id") == pl.col("first_trace_id")
    is_scheduled = pl.col("trigger").fill_null("") == "schedule"
    # Without its top a trace hides what asked for it: that nothing is on record says something only of whole traces.
    is_unknown = pl.col("is_rooted") & ((cause == "") | cause.str.starts_with("execution:"))
    across = ((cause == first) & (cause != "")) | pl.col("is_kin") | is_unknown
    return (same_trace & ((cause == first) | (cause == "") | (first == ""))) | (
        same_trace.not_() & across & is_scheduled.not_()
    )


def _severity(pair: dict[str, Any], across: bool, is_known: bool, anchored: bool) -> str:
    if pair["idempotency_digest"] and pair["idempotency_digest"] == pair["first_idempotency_digest"]:
        return "info"
    if across and not anchored:
        return "low"
    if across and not is_known:
        return "medium"
    return "high" if _GRAVE.search(re.sub(r"([a-z])([A-Z])", r"\1_\2", pair["tool_name"]).lower()) else "medium"


def _signal(pair: dict[str, Any]) -> Signal:
    across = pair["trace_id"] != pair["first_trace_id"]
    cause = pair["cause_id"] or ""
    is_equal = bool(cause) and cause == pair["first_cause_id"]
    is_kin = across and not is_equal and pair["is_kin"]
    is_known = is_equal or is_kin or (not across and bool(cause))
    # An equal request without a user or a conversation may come from two people.
    anchored = not cause.startswith("ask:") or bool(pair["user_id"] or pair["conversation_id"])
    gap = pair["start_time"] - pair["first_start_time"]
    where = "in another trace" if across else "in the same run"
    again = rerun(pair, [first_of(pair)])
    return Signal(
        rule="X6" if across else "X1",
        severity=_severity(pair, across, is_known, anchored),
        confidence=0.95 if not across else 0.7 if is_kin else 0.9 if is_known and anchored else 0.6,
        title=f"{pair['actor_name'] or 'An agent'} repeated {pair['tool_name']} {where} after {length(gap, decimals=1)}",
        subject_id=pair["actor_id"] or "unknown",
        subject_name=pair["actor_name"] or "",
        scope=(pair["signature"], pair["conversation_id"] if is_kin else cause if is_equal else ""),
        trace_id=pair["trace_id"],
        span_id=pair["span_id"],
        at=pair["start_time"],
        evidence=(
            Evidence(
                pair["first_trace_id"],
                pair["first_span_id"],
                "context: first write",
                "succeeded with the same tool and arguments",
            ),
            Evidence(
                pair["trace_id"], pair["span_id"], "repeated write", f"succeeded again, number {pair['times'] + 1}"
            ),
        ),
        baseline={
            "level": "signature and cause",
            "expected": "once per cause",
            "observed": pair["times"] + 1,
            "cause_class": again.kind,
            "cause_class_basis": again.basis,
            "cause_class_why": again.why,
            "cause": pair["cause_basis"],
        },
        counterfactual=f"silent without {pair['span_id']}, had {pair['first_span_id']} failed, or had a journal served it",
        edits=(Edit(pair["trace_id"], pair["span_id"], "replayed", True),),
        impact={"duplicate_effects": pair["times"], "target": pair["target"] or "", "cost_usd": pair["cost_usd"]},
        basis=weakest(pair["side_effect_basis"], "inferred" if across and not is_equal else "derived"),
        caveats=_caveats(across, is_known, is_kin),
    )


def _caveats(across: bool, is_known: bool, is_kin: bool) -> tuple[str, ...]:
    if is_kin:
        return ("the request was worded differently in the same conversation: it may have been asked for anew",)
    return ("no cause is recorded for this run: it may have been asked for anew",) if across and not is_known else ()


DETECTOR = Detector(
    id="reexecution_duplicate_write",
    family="reexecution",
    title="Duplicate write",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "actor_id", "actor_name", "tool_name", "signature", "side_effect", "side_effect_basis",
            "is_error", "replayed", "idempotency_digest", "cause_id", "cause_basis", "cause_request", "is_rooted",
            "is_settled", "trigger", "user_id", "execution_id", "execution_original_id", "link_trace_ids",
            "conversation_id", "target", "cost_usd", "start_time",
        ),
        "effects": (
            "signature", "trace_id", "span_id", "start_time", "cause_id", "conversation_id", "user_id", "cause_request",
            "idempotency_digest",
        ),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Check at the receiver whether both writes took effect; give the action an idempotency key.",
    quiet_hours=float("inf"),
)  # fmt: skip
