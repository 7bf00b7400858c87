"""A step waits for an agent that has ended, or waits very long.

**What it finds.** Open waits outside of any deadlock: *orphaned* when the run that is waited for has ended, or was never
heard of though the wait is old; *slow* when the wait is merely long (info).

**Why it matters.** An orphaned wait ends by a timeout or never; with a lock in hand it holds up others (medium).

**Evidence and basis.** The waiting step. Declared by the sender's start events; ages count from when we heard of the wait.

**What it cannot know.** Whether somebody outside of the telemetry will answer: a person, a system without spans.

**False positives.** A target that sends no telemetry; an answer that is on its way while its sender has already ended.

**Next step.** Look how the run that was waited for ended, and give the wait a timeout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Evidence, Signal


@dataclass(frozen=True)
class Config:
    """How long is long."""

    orphan_seconds: float = 10.0
    """Age of a wait for a run that has ended; its answer may come a moment after its end."""
    slow_seconds: float = 600.0
    """Age from which a wait is slow, or orphaned when nothing is known of what it waits for."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per waiting step."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for wait in rows(frames["open_waits"]):
        found.setdefault((wait["trace_id"], wait["span_id"]), []).append(wait)
    judged = (_judge(waits, config) for _, waits in sorted(found.items()))
    return [signal for signal in judged if signal is not None]


def _judge(waits: list[dict[str, Any]], config: Config) -> Signal | None:
    """One of several targets is enough for a step, so that it is an orphan only when all of them have ended."""
    wait, states = waits[0], {w["target_state"] for w in waits}
    if wait["in_deadlock"]:
        return None
    is_agent = all(w["kind"] in ("delegation", "message") for w in waits)
    if states == {"ended"} and wait["seconds"] >= config.orphan_seconds:
        return _signal(waits, "orphaned", "has ended", "medium" if wait["holds"] else "low", config)
    if wait["seconds"] < config.slow_seconds:
        return None
    if states == {"unknown"} and is_agent:
        return _signal(waits, "orphaned", "was never seen", "medium" if wait["holds"] else "low", config)
    return _signal(waits, "slow", "has not answered yet", "info", config)


def _signal(waits: list[dict[str, Any]], verdict: str, why: str, severity: str, config: Config) -> Signal:
    wait = waits[0]
    targets = ", ".join(sorted(f"{w['kind']} {w['target']}" for w in waits))
    return Signal(
        rule="D1e",
        severity=severity,
        confidence=0.9 if why == "has ended" else 0.5,
        title=f"{verdict.capitalize()} wait: {wait['waiter']} waits for {targets}, which {why}",
        subject_id=wait["waiter_id"],
        subject_name=wait["waiter"],
        grows=True,
        scope=(wait["trace_id"], wait["span_id"], verdict),
        trace_id=wait["trace_id"],
        span_id=wait["span_id"],
        at=wait["began"],
        evidence=(Evidence(wait["trace_id"], wait["span_id"], f"waits: {verdict}", f"since {wait['began']:%Y-%m-%d %H:%M:%S} UTC"),),
        baseline={
            "level": "open waits",
            "verdict": verdict,
            "observed": f"waits for {targets}, which {why}",
            "threshold": f"orphaned from {config.orphan_seconds:g} s after its end, slow from {config.slow_seconds:g} s",
        },
        counterfactual=f"silent if the wait {wait['span_id']} had ended",
        impact={"locks_held": wait["holds"]},
        basis="declared",
    )


DETECTOR = Detector(
    id="delegation_stalled",
    family="delegation",
    title="Stalled wait",
    version=1,
    needs={
        "open_waits": (
            "trace_id", "span_id", "waiter_id", "waiter", "kind", "target", "began", "seconds", "target_state", "holds", "in_deadlock",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Look how the run that was waited for ended, and give the wait a timeout.",
    quiet_hours=24.0 * 365,
)  # fmt: skip
