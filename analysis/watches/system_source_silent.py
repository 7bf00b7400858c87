"""A service that sent telemetry regularly sends none any more.

**What it finds.** Services that sent spans in many five-minute slots of the last day and then stopped for much longer than
they ever paused in that day.

**Why it matters.** Silence looks like peace: an agent that runs on without telemetry is watched by nobody.

**Evidence and basis.** The latest span of the service; its slots, its longest pause and how long it is silent, by the time
at which spans arrived. Declared: it is what arrived.

**What it cannot know.** Whether the service was stopped on purpose, and what happened while Actorscope itself was down: the
time before it started does not count as silence.

**False positives.** A service that is shut down for the night, once; a demo or load test that has ended.

**Next step.** Is the service running? If so, look at its exporter's log and at the refusals of the page Ingest health.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Evidence, Signal

SLOT = timedelta(minutes=5)


@dataclass(frozen=True)
class Config:
    """When a pause is silence."""

    min_slots: int = 24
    """Five-minute slots with spans that a service needs before it is missed."""
    pauses: float = 3.0
    """Multiple of its longest pause after which it is silent."""
    min_minutes: float = 30.0
    """Shortest silence that is reported."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per silent service; `sources` has a row per service with its slots in order, `clock` one row."""
    (clock,) = rows(frames["clock"])
    return [
        signal
        for source in rows(frames["sources"])
        if (signal := _silence(source, clock["now"], clock["since"], config)) is not None
    ]


def _silence(source: dict[str, Any], now: datetime, since: datetime, config: Config) -> Signal | None:
    slots: list[datetime] = sorted(set(source["slots"]))
    if len(slots) < config.min_slots:
        return None
    pause = max((later - earlier - SLOT for earlier, later in zip(slots, slots[1:], strict=False)), default=timedelta())
    silent = now - max(slots[-1] + SLOT, since)
    allowed = max(timedelta(minutes=config.min_minutes), pause * config.pauses)
    if silent <= allowed:
        return None
    minutes = int(silent.total_seconds() // 60)
    why = f"the latest span of this service arrived at {source['last_at']:%Y-%m-%d %H:%M} UTC"
    return Signal(
        rule="S2",
        severity="medium",
        confidence=min(0.95, 0.5 + len(slots) / 400),
        title=f"{source['service_name']} has sent nothing for {minutes} minutes",
        subject_id=f"source/{source['service_name']}",
        subject_name=source["service_name"],
        scope=(),
        trace_id=source["trace_id"],
        span_id="",
        at=source["last_at"],
        evidence=(Evidence(source["trace_id"], "", "context: latest trace of the service", why),),
        baseline={
            "level": "service", "n": len(slots), "expected_pause_minutes": round(pause.total_seconds() / 60),
            "threshold_minutes": round(allowed.total_seconds() / 60), "observed_minutes": minutes,
        },  # fmt: skip
        counterfactual=f"silent if a span of {source['service_name']} had arrived in the last {minutes} minutes",
        impact={"unwatched_minutes": minutes},
        basis="declared",
    )


DETECTOR = Detector(
    id="system_source_silent",
    family="system",
    title="A source fell silent",
    version=1,
    needs={"sources": ("service_name", "slots", "last_at", "trace_id"), "clock": ("now", "since")},
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Is the service running? If so, look at its exporter's log and at the refusals of the page Ingest health.",
    quiet_hours=24.0,
)
