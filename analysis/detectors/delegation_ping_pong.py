"""Agents pass control back and forth, and nothing is done in between.

**What it finds.** An agent that passes control to another one and gets it back, again and again in one conversation or for one
cause, also across traces. Who gets control back from others in turn (a desk that asks one specialist after the other) is not
meant: counted are returns after the same hand-off.

**Why it matters.** Each believes that the other is in charge. Nobody's limit is reached, for every run is a new one.

**Evidence and basis.** The hand-offs since something was last done; the one that makes the third return accuses. A successful
write, actions that were not done before, or a new request of a person is progress. The basis is that of the hand-offs.

**What it cannot know.** Progress that consists of words alone.

**False positives.** Two agents that negotiate by design, without tools.

**Next step.** Say which of the two decides; let the other one answer instead of handing over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence, Signal, weakest

Hand = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """How many returns are too many."""

    low_returns: int = 2
    """Returns without progress from which it is low."""
    medium_returns: int = 3
    """Returns from which it is medium."""
    high_returns: int = 5
    """Returns from which it is high."""
    window_hours: float = 24.0
    """Longest time between two hand-offs that belong together."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per conversation or cause and pair of agents, for the longest stretch without progress."""
    threads: dict[str, list[Hand]] = {}
    for hand in sorted(rows(frames["hand_offs"].unique()), key=lambda h: (h["at"], h["trace_id"], h["span_id"], h["delegate_id"])):
        threads.setdefault(hand["thread"], []).append(hand)
    seen = {(e["trace_id"], e["span_id"]) for e in rows(frames["delegations"])}
    found = (_judge(thread, config) for _, thread in sorted(threads.items()))
    # What only other traces hold was said when they were looked at.
    return [s for s in found if s is not None and (s.trace_id, s.span_id) in seen]


def _judge(thread: list[Hand], config: Config) -> Signal | None:
    best: tuple[list[Hand], list[Hand]] | None = None
    for stretch in _stretches(thread, config):
        for returns in _returns(stretch):
            if len(returns) >= config.low_returns and (best is None or len(returns) > len(best[1])):
                best = stretch, returns
    return _signal(*best, config) if best else None


def _stretches(thread: list[Hand], config: Config) -> list[list[Hand]]:
    """The hand-offs cut where something was done: the one whose receiver did it ends a stretch."""
    found: list[list[Hand]] = [[]]
    done: set[str] = set()
    asked = ""
    for hand in thread:
        last = found[-1][-1]["at"] if found[-1] else hand["at"]
        is_new_request = bool(hand["asked"]) and bool(asked) and hand["asked"] != asked
        if is_new_request or hand["at"] - last > timedelta(hours=config.window_hours):
            found.append([])
        asked = hand["asked"] or asked
        found[-1].append(hand)
        if hand["work"] and (hand["work"] == "write" or hand["work"] not in done):
            found.append([])
        done.add(hand["work"])
    return found


def _returns(stretch: list[Hand]) -> list[list[Hand]]:
    """For each hand-off from one agent to another: those with which control came back after it."""
    found = []
    for pair in sorted({(h["delegator_id"], h["delegate_id"]) for h in stretch}):
        back: list[Hand] = []
        is_away = False
        for hand in stretch:
            if (hand["delegator_id"], hand["delegate_id"]) == pair:
                is_away = True
            elif is_away and hand["delegate_id"] == pair[0]:
                back.append(hand)
                is_away = False
        found.append(back)
    return found


def _signal(stretch: list[Hand], returns: list[Hand], config: Config) -> Signal:
    count = len(returns)
    severity = "high" if count >= config.high_returns else "medium" if count >= config.medium_returns else "low"
    surplus = returns[(config.medium_returns if severity != "low" else config.low_returns) - 1 :]
    tip = surplus[0]
    ids = sorted({h["delegator_id"] for h in stretch} | {h["delegate_id"] for h in stretch})
    names = dict([(h["delegator_id"], h["delegator_name"]) for h in stretch] + [(h["delegate_id"], h["delegate_name"]) for h in stretch])
    who = " and ".join(sorted({names[tip["delegator_id"]], names[tip["delegate_id"]]}))
    before = stretch[: stretch.index(tip) + 1]
    shown = before[-EVIDENCE_LIMIT:]
    evidence = tuple(
        Evidence(
            h["trace_id"], h["span_id"], "comes back once too often" if h is tip else "context: hand-off",
            f"{h['delegator_name']} -> {h['delegate_name']}, then nothing new was done",
        )
        for h in shown
    )  # fmt: skip
    return Signal(
        rule="D1c",
        severity=severity,
        confidence={"low": 0.5, "medium": 0.8, "high": 0.9}[severity],
        title=f"Ping-pong: {who} hand over to each other, {count} returns",
        subject_id=tip["delegate_id"],
        subject_name=names[tip["delegate_id"]] or "",
        scope=tuple(ids),
        trace_id=tip["trace_id"],
        span_id=tip["span_id"],
        at=tip["at"],
        evidence=evidence,
        baseline={
            "level": "conversation or cause",
            "n": len(stretch),
            "observed": f"{count} returns without anything done",
            "expected": "a write, another action or a new request in between",
            "threshold": f"{config.medium_returns} returns",
            "traces": len({h["trace_id"] for h in stretch}),
        },
        counterfactual=f"silent without the hand-off {tip['span_id']} from {tip['delegator_name']} to {tip['delegate_name']} "
        "and the returns after it",
        edits=tuple(Edit(h["trace_id"], h["span_id"]) for h in surplus),
        impact={"hand_offs": len(stretch), "what": "hand-offs since something was last done"},
        basis=weakest(*(h["basis"] for h in before)),
    )


DETECTOR = Detector(
    id="delegation_ping_pong",
    family="delegation",
    title="Hand-off ping-pong",
    version=1,
    needs={
        "hand_offs": (
            "thread", "trace_id", "span_id", "delegator_id", "delegate_id", "delegator_name", "delegate_name", "basis", "asked",
            "work", "at",
        ),
        "delegations": ("trace_id", "span_id"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Say which of the two decides; let the other one answer instead of handing over.",
)  # fmt: skip
