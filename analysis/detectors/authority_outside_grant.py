"""An action used a scope, or acted on a resource, that its grant does not cover.

**What it finds.** A tool call whose used scope (`actorscope.authz.scope.used`, else its tool) matches no entry of the
nearest grant: the one on the action (`actorscope.authz.scope.granted`), else that of the delegation it runs under. Where
entries name resources (`files:write:/srv/reports/*`, `mail:send:*@example.org`, `tool:send_email:*@example.org`), also what
the arguments or `actorscope.action.target.id` say the action acts on: a write outside is high, what goes outside medium, a read low.

**Why it matters.** The agent did what nobody allowed it to do: a policy is missing, not enforced, or was got around.

**Evidence and basis.** The action, and the span that carries the grant. Declared when scope and grant are attributes;
derived when the used scope is read from the tool's name, or the resource from the arguments.

**What it cannot know.** Grants that nobody recorded: without a grant on the path there is no finding. Where only
fingerprints of arguments are kept, patterns cannot be judged; exact addresses can, if analysis has the key of the intake.

**False positives.** Grants in another notation than the scopes; patterns with `*` are understood. Of e-mail addresses, sites
and absolute paths each one in an argument named for it must be covered; of other names one is enough.

**Next step.** Decide whether the grant is too narrow or the action was wrong; extend the one or revoke the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, effect


@dataclass(frozen=True)
class Config:
    """Thresholds of the scope violation."""

    read_severity: str = "low"
    """Severity of a read outside the grant."""
    egress_severity: str = "medium"
    """Severity of an action that goes outside without a known write, and of one of which nobody says what it does."""
    write_severity: str = "high"
    """Severity of a write or destructive action outside the grant."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per action with a scope or a resource outside its grant."""
    outside = frames["actions"].filter(pl.col("use_outside").list.len() > 0).unique(["trace_id", "span_id"])
    return [_signal(action, config) for action in rows(outside.sort("start_time", "span_id"))]


def _severity(action: dict[str, Any], config: Config) -> str:
    if action["authz_outcome"] == "deny" and action["is_error"]:
        return "info"
    if action["side_effect"] in WRITES:
        return config.write_severity
    is_read = action["side_effect"] in ("read", "none") and not action["is_outward"]
    return config.read_severity if is_read else config.egress_severity


def _signal(action: dict[str, Any], config: Config) -> Signal:
    outside, basis = action["use_outside"], action["use_basis"]
    scopes = ", ".join(outside)
    granted = ", ".join(action["grant"][:12])
    evidence = [
        Evidence(
            action["trace_id"],
            action["span_id"],
            "violation",
            f"{action['tool_name']} used {scopes}, which is not granted",
        )
    ]
    if action["grant_span_id"] and action["grant_span_id"] != action["span_id"]:
        evidence.append(Evidence(action["trace_id"], action["grant_span_id"], "context: grant", f"grants {granted}"))
    blocked = action["authz_outcome"] == "deny" and action["is_error"]
    return Signal(
        rule="P1",
        severity=_severity(action, config),
        confidence=0.99 if basis == "declared" else 0.9,
        title=f"{action['actor_name'] or 'An agent'} used {scopes} outside its grant"
        + (" and was stopped" if blocked else ""),
        subject_id=action["actor_id"] or "unknown",
        subject_name=action["actor_name"] or "",
        scope=(action["tool_name"] or "", *action["use_heads"]),
        trace_id=action["trace_id"],
        span_id=action["span_id"],
        at=action["start_time"],
        evidence=tuple(evidence),
        baseline={"level": "grant", "expected": action["grant"], "observed": outside},
        counterfactual=f"silent if the grant had named {scopes}",
        edits=(_wider(action, outside),),
        impact=effect(action),
        basis=basis,
    )


def _wider(action: dict[str, Any], outside: list[str]) -> Edit:
    """The grant with what was used."""
    place = action["grant_span_id"] or action["span_id"]
    column = "scope_authorized" if place == action["span_id"] else "scope_granted"
    return Edit(action["trace_id"], place, column, [*action["grant"], *outside])


DETECTOR = Detector(
    id="authority_outside_grant",
    family="authority",
    title="Use outside the granted scope",
    version=2,
    needs={
        "actions": (
            "trace_id", "span_id", "actor_id", "actor_name", "tool_name", "grant", "grant_span_id", "use_outside", "use_heads", "use_basis",
            "authz_outcome", "is_error", "is_outward", "side_effect", "target", "cost_usd", "start_time",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Compare the grant with the action: extend the grant, or revoke what allowed the action.",
)  # fmt: skip
