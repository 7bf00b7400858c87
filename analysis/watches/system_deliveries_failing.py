"""A target of alerts is not reached.

**What it finds.** Targets that gave up a notification within the hour (medium), and targets that have taken nothing of what
waits for them for longer than a threshold (high).

**Why it matters.** Findings are there and nobody hears of them; silence looks like peace.

**Evidence and basis.** The outbox and its latest error. Declared: it is what the receiver answered.

**What it cannot know.** Whether somebody reads what was delivered.

**False positives.** A receiver that is being replaced, for as long as that takes.

**Next step.** `actorscope alerts test --target NAME` says what the receiver answers; `actorscope alerts redeliver ID` sends again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Evidence, Signal

_EVER = datetime(1971, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Config:
    """How long a target may fail."""

    high_minutes: float = 10.0
    """Minutes for which a tried notification may wait before it is high."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per target; `deliveries` has a row for each that was ever told anything, `clock` one row."""
    (clock,) = rows(frames["clock"])
    found = (_failing(target, clock["now"], config) for target in rows(frames["deliveries"]))
    return [signal for signal in found if signal is not None]


def _failing(target: dict[str, Any], now: datetime, config: Config) -> Signal | None:
    since = target["failing_since"]
    minutes = (now - since).total_seconds() / 60 if since > _EVER else 0.0
    is_high = minutes >= config.high_minutes and target["delivered_at"] < since
    if not is_high and not target["dead_lately"]:
        return None
    name, error = target["subscriber"], target["last_error"] or "no answer"
    lately = f"{target['dead_lately']} given up within the hour"
    what = f"{target['pending']} wait, the oldest for {minutes:.0f} minutes" if is_high else lately
    return Signal(
        rule="S5",
        severity="high" if is_high else "medium",
        confidence=1.0,
        title=f"Alert target {name} is not reached: {what}",
        subject_id=f"target/{name}",
        subject_name=f"alert target {name}",
        scope=(),
        trace_id="",
        span_id=f"target {name}",
        at=now,
        evidence=(Evidence("", "", "context: the outbox", f"{what}; latest error: {error}"),),
        baseline={"level": "target", "expected": "delivered", "observed": error, "threshold_minutes": config.high_minutes},
        counterfactual="silent if the target had answered with a status from 200 to 299",
        impact={"waiting": target["pending"], "given_up": target["dead"]},
        basis="declared",
    )


DETECTOR = Detector(
    id="system_deliveries_failing",
    family="system",
    title="Alerts are not delivered",
    version=1,
    needs={
        "deliveries": ("subscriber", "pending", "dead", "dead_lately", "failing_since", "delivered_at", "last_error"),
        "clock": ("now",),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="`actorscope alerts test --target NAME` says what the receiver answers; `actorscope alerts redeliver ID` sends again.",
    quiet_hours=1.0,
)
