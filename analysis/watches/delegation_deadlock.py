"""Agents wait for each other, and none of them can go on: A waits for B, B waits for A.

**What it finds.** A closed group of open waits: for the answer of a delegate, a message, a lock, an approval. A run that waits
for several things at once needs all of them, a step that waits for one of several needs any; the group is one from which no
order of events leads out. Seen once it is *suspected* (low). It is *deadlocked* (high) when a second look, at least five
seconds later and with everything received until then in the store, sees the very same waits and no member did anything.
While members still start or end steps it is *cycling*.

**Why it matters.** Nothing ends it: no limit on steps or money is reached, and what waits behind the group waits too.

**Evidence and basis.** The waiting steps, who waits for whom and since when. Declared by the senders' start events
(`actorscope.span.start`, `actorscope.wait.start`).

**What it cannot know.** Waits of senders that send no start events, and a timeout inside an agent that will end the wait.

**False positives.** An end that was lost on its way to us. Silence alone is never reported: a long call is no deadlock.

**Next step.** End the run that the finding names as the cheapest to cut; the others go on with an error they can handle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Evidence, Signal


@dataclass(frozen=True)
class Config:
    """How long before it is said."""

    suspect_seconds: float = 5.0
    """Age of the youngest wait, counted from when we heard of it, from which the group is suspected."""
    confirm_seconds: float = 5.0
    """Seconds between two looks without any movement after which it is a deadlock."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per group of agents that wait for each other; `deadlocks` has a row per group."""
    return [_signal(group, config) for group in rows(frames["deadlocks"]) if _is_due(group, config)]


def _is_due(group: dict[str, Any], config: Config) -> bool:
    return bool(group["was_confirmed"] or group["young_seconds"] >= config.suspect_seconds)


def _verdict(group: dict[str, Any], config: Config) -> str:
    if group["was_confirmed"]:
        return "deadlocked"
    if group["is_moving"]:
        return "cycling"
    return "deadlocked" if group["still_seconds"] >= config.confirm_seconds and group["is_settled"] else "suspected"


def _signal(group: dict[str, Any], config: Config) -> Signal:
    verdict, edges = _verdict(group, config), group["edges"]
    youngest, first = edges[-1], min(edges, key=lambda e: (e["waiter_id"], e["trace_id"], e["span_id"]))
    # Least is lost where least was spent; of equals the youngest wait is cut.
    cut = min(reversed(edges), key=lambda e: e["cost_usd"] or 0.0)
    who = ", ".join(f"{e['waiter']} waits for {e['target']}" for e in edges[:4])
    places = sorted({f"{e['trace_id']}:{e['span_id']}" for e in edges})
    evidence = tuple(
        Evidence(
            e["trace_id"], e["span_id"], f"waits: {e['kind']}",
            f"{e['waiter']} waits for {e['target']} ({e['kind']}) since {e['began']:%Y-%m-%d %H:%M:%S} UTC",
        )
        for e in edges[:EVIDENCE_LIMIT]
    )  # fmt: skip
    named = {"suspected": "Possible deadlock", "cycling": "Wait cycle that still moves", "deadlocked": "Deadlock"}[verdict]
    return Signal(
        rule="D1d",
        severity="high" if verdict == "deadlocked" else "low",
        confidence={"suspected": 0.5, "cycling": 0.4, "deadlocked": 0.97}[verdict],
        title=f"{named}: {who}{' ...' if len(edges) > 4 else ''}",
        subject_id=first["waiter_id"],
        subject_name=first["waiter"],
        grows=True,
        scope=tuple(places),
        trace_id=youngest["trace_id"],
        span_id=youngest["span_id"],
        at=youngest["began"],
        evidence=evidence,
        baseline={
            "level": "open waits",
            "verdict": verdict,
            "edges": places,
            "observed": f"{len(edges)} waits that need each other",
            "expected": "a way out",
            "threshold": f"two looks {config.confirm_seconds:g} s apart without movement",
            "since": f"{youngest['began']:%Y-%m-%dT%H:%M:%SZ}",
        },
        counterfactual=f"silent if the wait {cut['span_id']} of {cut['waiter']} for {cut['target']} had ended",
        impact={
            "cost_usd": group["cost_usd"],
            "what": "spent so far in the traces that stand still",
            "cheapest_cut": f"{cut['waiter']} -> {cut['target']} (span {cut['span_id']})",
            "runs_behind": group["behind"],
        },
        basis="declared",
        caveats=() if group["is_settled"] else ("what was received is not all stored yet",),
    )


DETECTOR = Detector(
    id="delegation_deadlock",
    family="delegation",
    title="Deadlock",
    version=1,
    needs={
        "deadlocks": (
            "edges", "young_seconds", "still_seconds", "is_moving", "is_settled", "was_confirmed", "behind", "cost_usd",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="End the run that is cheapest to cut; the others go on with an error they can handle.",
    quiet_hours=24.0 * 365,
)  # fmt: skip
