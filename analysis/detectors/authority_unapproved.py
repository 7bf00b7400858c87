"""An action that needs an approval took place without one that covers it.

**What it finds.** Actions that took place although their approval is missing (the policy asked for one), came late, was
refused, was given by the agent itself, had ended, was for other arguments, or had been used up by an earlier action (P3).

**Why it matters.** The person who should decide did not, or decided about something else.

**Evidence and basis.** The action accuses; the request for approval and the action that used it up first are context.
Declared: outcome, approval and digests stand in attributes or log records.

**What it cannot know.** Approvals that were given outside of the telemetry. An approval that is named but of which nothing
else is on record says nothing.

**False positives.** Approvals without an end are taken to last fifteen minutes, medium after that; those for a session or
for good have neither an end of their own nor one action. A policy that only watches (mode `monitor`) makes it low.

**Next step.** Ask the named approver what was approved; make the tool refuse to run without its approval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from actorscope.analysis.authority import DONE
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, effect
from actorscope.analysis.moments import stamp

_PLACE = ["trace_id", "span_id"]
_ANSWERS = ("approved", "modified", "rejected", "expired", "cancelled")
_YES = ("approved", "modified")


@dataclass(frozen=True)
class Config:
    """Thresholds of the missing approval."""

    skew_seconds: float = 60.0
    """How far two clocks may be apart before one moment counts as later than another."""
    lasts_minutes: float = 15.0
    """How long an approval covers its action where nobody said so."""


@dataclass(frozen=True)
class _Fault:
    """One way in which an approval does not cover an action."""

    what: str
    severity: str
    title: str
    why: str
    change: str
    edits: tuple[Edit, ...]
    context: tuple[Evidence, ...] = ()


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per action whose approval does not cover it, with the gravest reason."""
    needs = (pl.col("authz_outcome") == "require_approval") | pl.col("approval_stated").is_not_null()
    needs = needs | (pl.col("approval_basis") == "declared")
    actions = frames["actions"].filter("is_settled", DONE, needs.fill_null(False)).unique(_PLACE)
    found = _with_request(actions, frames["approvals"])
    found = _with_first_use(found, frames["custody"])
    signals = []
    for action in rows(found.sort("start_time", "span_id")):
        fault = next(_faults(action, config), None)
        if fault:
            signals.append(_signal(action, fault))
    return signals


def _with_request(actions: pl.DataFrame, approvals: pl.DataFrame) -> pl.DataFrame:
    """Adds what other spans say of the approval (`asked_*`): by its id, else the latest answer about the tool before it."""
    answers = approvals.filter(pl.col("approval_status").is_in(_ANSWERS)).unique(_PLACE)
    answered = pl.coalesce("answered_at", "end_time")
    answers = answers.select(
        "trace_id", "tool_name", "approval_id", answered.alias("asked_at"),
        *(pl.col(c).alias(f"asked_{c}") for c in (
            "span_id", "approval_status", "approval_digest", "approver_id", "approver_type", "approval_ends", "approval_grant",
        )),
    ).sort("asked_at", "asked_span_id")  # fmt: skip
    by_id = answers.filter(pl.col("approval_id").is_not_null()).drop("tool_name")
    by_id = by_id.unique(["trace_id", "approval_id"], keep="last", maintain_order=True)
    found = actions.join(by_id, on=["trace_id", "approval_id"], how="left")
    bare = answers.filter(pl.col("approval_id").is_null()).drop("approval_id", "asked_approval_digest")
    near = actions.filter(pl.col("approval_id").is_null()).select(*_PLACE, "tool_name", "start_time")
    near = near.join(bare, on="trace_id", suffix="_asked").filter(
        (pl.col("tool_name") == pl.col("tool_name_asked")).fill_null(True), pl.col("asked_at") <= pl.col("start_time")
    )
    near = near.sort("asked_at", "asked_span_id").unique(_PLACE, keep="last", maintain_order=True)
    said = [c for c in bare.columns if c.startswith("asked_")]
    found = found.join(near.select(*_PLACE, *said), on=_PLACE, how="left", suffix="_near")
    return found.with_columns(pl.coalesce(c, f"{c}_near").alias(c) for c in said).drop(f"{c}_near" for c in said)


def _with_first_use(actions: pl.DataFrame, custody: pl.DataFrame) -> pl.DataFrame:
    """Adds the action that used the approval up before (`first_*`)."""
    uses = custody.filter(pl.col("kind") == "approval").select(
        pl.col("id").alias("approval_stated"), *(pl.col(c).alias(f"first_{c}") for c in (*_PLACE, "start_time"))
    )
    uses = uses.sort("first_start_time", "first_trace_id", "first_span_id")
    uses = uses.unique("approval_stated", keep="first", maintain_order=True)
    found = actions.join(uses, on="approval_stated", how="left")
    is_later = pl.struct("start_time", "trace_id", "span_id") != pl.struct(
        pl.col("first_start_time").alias("start_time"), pl.col("first_trace_id").alias("trace_id"), pl.col("first_span_id").alias("span_id")
    )  # fmt: skip
    later = is_later & (pl.col("first_start_time") <= pl.col("start_time"))
    return found.with_columns(later.fill_null(False).alias("is_reused"))


def _faults(action: dict[str, Any], config: Config) -> Iterator[_Fault]:
    """What is wrong with the approval, gravest first."""
    skew = timedelta(seconds=config.skew_seconds)
    start = action["start_time"]
    status = action["approval_status"] if action["approval_basis"] == "declared" else None
    status = action["asked_approval_status"] or status
    grant = action["approval_grant"] or action["asked_approval_grant"] or "once"
    at = action["asked_at"] or action["answered_at"]
    if not action["approval_id"] and not status:
        yield _Fault(
            "no approval", "high", "without the approval that it needs", "the policy asked for an approval; none is on record",
            "silent if actorscope.approval.id of the action had named an approval that was given for it",
            _approved(action),
        )  # fmt: skip
        return
    if status in _ANSWERS and status not in _YES:
        yield _Fault(
            "refused", "high", f"although its approval was {status}", f"took place with an approval that was {status}",
            "silent if actorscope.approval.status had been approved",
            (_said(action, "approval_status", "approved"),), _request(action),
        )  # fmt: skip
    yield from _by_itself(action)
    if at and at > start + skew:
        yield _Fault(
            "late approval", "high", "before it was approved", f"began {_gap(at - start)} before the approval was given",
            f"silent if the approval had been given at {stamp(start)} or earlier",
            (_said(action, "end_time", start.isoformat()),), _request(action),
        )  # fmt: skip
    if grant == "once":
        yield from _other(action, status)
        if action["is_reused"]:
            first = Evidence(action["first_trace_id"], action["first_span_id"], "context: first use", "used the approval up")
            yield _Fault(
                "approval used twice", "high", "with an approval that was used up",
                f"approval {action['approval_stated']} had been used up {_gap(start - action['first_start_time'])} before",
                "silent if actorscope.approval.id of the action had named an approval of its own",
                _approved(action), (*_request(action), first),
            )  # fmt: skip
    yield from _ended(action, grant, at, skew, config)


def _by_itself(action: dict[str, Any]) -> Iterator[_Fault]:
    approver = action["approver_id"] or action["asked_approver_id"]
    kind = action["approver_type"] or action["asked_approver_type"]
    own = {action[c] for c in ("actor_id", "principal_id", "agent_id", "agent_instance_id")}
    names = {action["actor_name"], action["agent_name"]} if kind == "agent" else set()
    if approver and approver in (own | names) - {None}:
        yield _Fault(
            "own approval", "high", "with an approval that it gave itself", f"the approver {approver} is the agent itself",
            "silent if actorscope.approval.approver.id had been somebody else",
            (_said(action, "approver_id", "somebody else"),), _request(action),
        )  # fmt: skip


def _other(action: dict[str, Any], status: str | None) -> Iterator[_Fault]:
    """Approved arguments and those of the action differ, in digests that are made alike."""
    done = action["input_digest"]
    for approved in (action["approval_digest"], action["asked_approval_digest"]):
        if status != "modified" and approved and done and approved != done and _kind(approved) == _kind(done):
            yield _Fault(
                "other arguments", "high", "with other arguments than were approved",
                f"its arguments have the digest {done[:20]}..., approved was {approved[:20]}...",
                f"silent if actorscope.approval.action.digest had been {done}",
                (_said(action, "approval_digest", done),), _request(action),
            )  # fmt: skip


def _ended(
    action: dict[str, Any], grant: str, at: datetime | None, skew: timedelta, config: Config
) -> Iterator[_Fault]:
    start = action["start_time"]
    ends = action["approval_ends"] or action["asked_approval_ends"]
    is_stated = ends is not None
    if not ends and at and grant == "once":
        ends = at + timedelta(minutes=config.lasts_minutes)
    if ends and start > ends + skew:
        yield _Fault(
            "approval expired", "high" if is_stated else "medium", "after its approval had ended",
            f"began {_gap(start - ends)} after the approval had ended at {stamp(ends)}"
            + ("" if is_stated else f", {config.lasts_minutes:g} minutes after it was given"),
            f"silent if actorscope.approval.expires_at had been {stamp(start)} or later",
            (_said(action, "approval_expires_at", start.isoformat()),), _request(action),
        )  # fmt: skip


def _said(action: dict[str, Any], column: str, value: Any) -> Edit:
    """What the span that tells of the approval had to say: the answer to the request, else the action itself."""
    name = f"asked_{'approval_ends' if column == 'approval_expires_at' else column}"
    is_asked = action["asked_span_id"] and (column == "end_time" or action.get(name) is not None)
    return Edit(action["trace_id"], action["asked_span_id"] if is_asked else action["span_id"], column, value)


def _approved(action: dict[str, Any]) -> tuple[Edit, ...]:
    """The action with an approval of its own."""
    place = (action["trace_id"], action["span_id"])
    own = f"approval of {action['span_id']}"
    return Edit(*place, "approval_id", own), Edit(*place, "approval_status", "approved")


def _request(action: dict[str, Any]) -> tuple[Evidence, ...]:
    place = action["asked_span_id"]
    said = action["asked_approval_status"]
    return (Evidence(action["trace_id"], place, "context: approval", f"the approval was {said}"),) if place else ()


def _signal(action: dict[str, Any], fault: _Fault) -> Signal:
    watched = action["authz_mode"] == "monitor"
    tool = action["tool_name"] or "a tool"
    return Signal(
        rule="P3",
        severity="low" if watched else fault.severity,
        confidence=0.95,
        title=f"{action['actor_name'] or 'An agent'} used {tool} {fault.title}",
        subject_id=action["actor_id"] or "unknown",
        subject_name=action["actor_name"] or "",
        scope=(fault.what, action["tool_name"] or ""),
        trace_id=action["trace_id"],
        span_id=action["span_id"],
        at=action["start_time"],
        evidence=(*fault.context, Evidence(action["trace_id"], action["span_id"], fault.what, fault.why)),
        baseline={
            "level": "approval", "expected": "an approval that covers the action", "observed": fault.what,
            "approval": action["approval_id"] or "",
        },
        counterfactual=fault.change,
        edits=fault.edits,
        impact=effect(action),
        basis="declared",
        caveats=("the policy only watched",) if watched else (),
    )  # fmt: skip


def _kind(digest: str) -> str:
    return digest.partition(":")[0]


def _gap(time: timedelta) -> str:
    seconds = time.total_seconds()
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


DETECTOR = Detector(
    id="authority_unapproved",
    family="authority",
    title="Action without an approval that covers it",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "actor_id", "actor_name", "principal_id", "agent_id", "agent_name", "agent_instance_id",
            "tool_name", "start_time", "is_settled", "is_error", "is_replayed", "state", "authz_outcome", "authz_mode",
            "approval_id", "approval_stated", "approval_status", "approval_basis", "approval_grant", "approval_digest",
            "approval_ends", "approver_id", "approver_type", "answered_at", "input_digest", "side_effect", "target", "cost_usd",
        ),
        "approvals": (
            "trace_id", "span_id", "tool_name", "approval_id", "approval_status", "approval_digest", "approval_ends",
            "approval_grant", "approver_id", "approver_type", "answered_at", "end_time",
        ),
        "custody": ("kind", "id", "trace_id", "span_id", "start_time"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Ask the named approver what was approved; make the tool refuse to run without its approval.",
    quiet_hours=float("inf"),
)  # fmt: skip
