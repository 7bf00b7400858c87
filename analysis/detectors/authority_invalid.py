"""An action was done under authority that did not count: ended, not begun, taken back, or refused.

**What it finds.** Actions that took place after their grant or credential had ended, before the credential began to count,
after either was taken back (an `actorscope.authz.revocation` event, or a refusal with that reason), or although the policy
refused them (P2).

**Why it matters.** Whoever should check the authority does not, or the check can be got around.

**Evidence and basis.** The action accuses; the span that states the grant's end, and the one that told of the revocation,
are context. Declared: all moments stand in attributes.

**What it cannot know.** Ends and revocations that nobody recorded, and whether the resource server refused the action.

**False positives.** Clocks that are wrong by more than the allowance; refusals of a policy that only watches (mode
`monitor`) are info, refusals for no reason of authority are medium.

**Next step.** Find out why the check let it pass; end what still runs under this authority.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from actorscope.analysis.authority import DONE
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, effect
from actorscope.analysis.moments import length, stamp

_VOID = re.compile(r"revoked|expired|not_yet_valid|withdrawn|suspended", re.IGNORECASE)
"""Reasons of a refusal that say that the authority itself did not count."""


@dataclass(frozen=True)
class Config:
    """Thresholds of invalid authority."""

    skew_seconds: float = 60.0
    """How far two clocks may be apart before one moment counts as later than another."""


@dataclass(frozen=True)
class _Fault:
    """One way in which an authority did not count."""

    what: str
    severity: str
    title: str
    why: str
    change: str
    expected: str
    edits: tuple[Edit, ...]
    context: tuple[Evidence, ...] = ()


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per action and way in which its authority did not count."""
    skew = timedelta(seconds=config.skew_seconds)
    found = frames["actions"].filter("is_settled", DONE).unique(["trace_id", "span_id"])
    for prefix, key in (("grant", "under_id"), ("credential", "credential_id")):
        taken = frames["revocations"].unique("id").rename(
            {"id": key, **{c: f"{prefix}_{c}" for c in ("revoked_at", "trace_id", "span_id", "reason")}}
        )
        found = found.join(taken, on=key, how="left")
    start = pl.col("start_time")
    found = found.filter(
        (start > pl.col("grant_ends") + skew) | (start > pl.col("credential_ends") + skew)
        | (start < pl.col("credential_begins") - skew) | (start > pl.col("grant_revoked_at") + skew)
        | (start > pl.col("credential_revoked_at") + skew) | (pl.col("authz_outcome") == "deny")
    )  # fmt: skip
    return [
        _signal(action, fault) for action in rows(found.sort("start_time", "span_id")) for fault in _faults(action, skew)
    ]


def _faults(action: dict[str, Any], skew: timedelta) -> Iterator[_Fault]:
    """What was wrong; a refusal that tells why the authority did not count says it alone."""
    start = action["start_time"]
    if action["authz_outcome"] == "deny":
        yield _refused(action)
    if action["grant_ends"] and start > action["grant_ends"] + skew:
        yield _ended(action, "grant", action["grant_ends"], "actorscope.delegation.expires_at", action["ends_span_id"])
    if action["credential_ends"] and start > action["credential_ends"] + skew:
        yield _ended(action, "credential", action["credential_ends"], "actorscope.credential.expires_at", None)
    if action["credential_begins"] and start < action["credential_begins"] - skew:
        begins = action["credential_begins"]
        yield _Fault(
            "credential not yet valid", "high", "with a credential that did not count yet",
            f"began {length(begins - start)} before its credential {action['credential_id'] or ''} was issued at {stamp(begins)}",
            f"silent if actorscope.credential.issued_at of the action had been {stamp(start)} or earlier", stamp(begins),
            (Edit(action["trace_id"], action["span_id"], "credential_issued_at", stamp(start)),),
        )  # fmt: skip
    for prefix, name in (("grant", "its grant"), ("credential", "its credential")):
        since = action[f"{prefix}_revoked_at"]
        if since and start > since + skew:
            yield _revoked(action, prefix, name, since)


def _refused(action: dict[str, Any]) -> _Fault:
    reason = action["authz_reason"] or "no reason on record"
    is_void = _VOID.search(reason) is not None
    watched = action["authz_mode"] == "monitor"
    return _Fault(
        "refused", "info" if watched else "high" if is_void else "medium", f"although it was refused ({reason})",
        f"took place although the policy said deny: {reason}",
        "silent if actorscope.authz.outcome of the action had been allow, or had the action ended with an error",
        "allow",
        (Edit(action["trace_id"], action["span_id"], "authz_outcome", "allow"),),
    )  # fmt: skip


def _ended(action: dict[str, Any], what: str, ends: datetime, attribute: str, place: str | None) -> _Fault:
    late = action["start_time"] - ends
    context = (
        (Evidence(action["trace_id"], place, "context: grant", f"the grant ends at {stamp(ends)}"),)
        if place and place != action["span_id"]
        else ()
    )
    whose = "span that grants" if context else "action"
    return _Fault(
        f"{what} expired", "high", f"{length(late)} after its {what} had ended",
        f"began {length(late)} after the {what} had ended at {stamp(ends)}",
        f"silent if {attribute} of the {whose} had been {stamp(action['start_time'])} or later", stamp(ends),
        (Edit(action["trace_id"], place or action["span_id"], f"{what}_expires_at", stamp(action["start_time"])),), context,
    )  # fmt: skip


def _revoked(action: dict[str, Any], prefix: str, name: str, since: datetime) -> _Fault:
    place = action[f"{prefix}_trace_id"], action[f"{prefix}_span_id"]
    known = bool(place[1].strip("0")) and place != (action["trace_id"], action["span_id"])
    context = (Evidence(*place, "context: revocation", f"told that {name} was taken back"),) if known else ()
    return _Fault(
        f"{prefix} revoked", "high", f"after {name} was taken back",
        f"began {length(action['start_time'] - since)} after {name} was taken back at {stamp(since)}: {action[f'{prefix}_reason']}",
        f"silent without the action, or if the revocation had come at {stamp(action['start_time'])} or later", stamp(since),
        (Edit(action["trace_id"], action["span_id"]),), context,
    )  # fmt: skip


def _signal(action: dict[str, Any], fault: _Fault) -> Signal:
    tool = action["tool_name"] or "a tool"
    return Signal(
        rule="P2",
        severity=fault.severity,
        confidence=0.95,
        title=f"{action['actor_name'] or 'An agent'} used {tool} {fault.title}",
        subject_id=action["actor_id"] or "unknown",
        subject_name=action["actor_name"] or "",
        scope=(fault.what, action["tool_name"] or "", action["credential_id"] or "" if "credential" in fault.what else ""),
        trace_id=action["trace_id"],
        span_id=action["span_id"],
        at=action["start_time"],
        evidence=(*fault.context, Evidence(action["trace_id"], action["span_id"], fault.what, fault.why)),
        baseline={"level": "authority", "expected": fault.expected, "observed": stamp(action["start_time"])},
        counterfactual=fault.change,
        edits=fault.edits,
        impact=effect(action),
        basis="declared",
        caveats=("times come from the clocks of several machines",) if fault.what != "refused" else (),
    )


DETECTOR = Detector(
    id="authority_invalid",
    family="authority",
    title="Use of authority that does not count",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "actor_id", "actor_name", "tool_name", "start_time", "is_settled", "is_error", "is_replayed",
            "state", "grant_ends", "ends_span_id", "under_id", "credential_id", "credential_begins", "credential_ends",
            "authz_outcome", "authz_reason", "authz_mode", "side_effect", "target", "cost_usd",
        ),
        "revocations": ("id", "revoked_at", "trace_id", "span_id", "reason"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Find out why the check let it pass; end what still runs under this authority.",
)  # fmt: skip
