"""An ingester has gone silent, or takes nothing in any more.

**What it finds.** Ingesters that reported every minute and have stopped doing so, and ingesters that took spans in most
minutes of the last hour and then none for much longer than they ever paused in it.

**Why it matters.** No spans, no findings: everything else then looks fine.

**Evidence and basis.** The reports of the ingester over the last hour. Declared.

**What it cannot know.** Whether an ingester was taken away on purpose, and whether the agents themselves rest.

**False positives.** An ingester that was scaled down; the end of a load test or of the working day.

**Next step.** Is the process up and its port reachable? Its log and the page Ingest health say what it met last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Evidence, Signal


@dataclass(frozen=True)
class Config:
    """When silence is an event."""

    silent_minutes: float = 5.0
    """Minutes without a report after which an ingester counts as gone."""
    idle_minutes: float = 15.0
    """Shortest time without spans that is reported of one that reports."""
    pauses: float = 3.0
    """Multiple of its longest pause within the hour after which it is idle."""
    busy_reports: int = 15
    """Reports with new spans within the hour that it needs before it is missed."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per ingester; `reports` has a row per report of the last hour, `clock` one row."""
    (clock,) = rows(frames["clock"])
    by_ingester: dict[str, list[dict[str, Any]]] = {}
    for report in sorted(rows(frames["reports"]), key=lambda r: r["at"]):
        by_ingester.setdefault(report["ingester"], []).append(report)
    found = (_stopped(name, reports, clock, config) for name, reports in sorted(by_ingester.items()))
    return [signal for signal in found if signal is not None]


def _stopped(name: str, reports: list[dict[str, Any]], clock: dict[str, Any], config: Config) -> Signal | None:
    now: datetime = clock["now"]
    last: datetime = reports[-1]["at"]
    # What we missed ourselves while we were down is no silence of others.
    silent = now - max(last, clock["since"])
    if len(reports) > 1 and silent >= timedelta(minutes=config.silent_minutes):
        return _signal(name, "gone", "high", silent, f"its last report came at {last:%Y-%m-%d %H:%M} UTC", last, now)
    busy = [after["at"] for before, after in zip(reports, reports[1:], strict=False) if _accepted(after) != _accepted(before)]
    if len(busy) < config.busy_reports:
        return None
    pause = max((b - a for a, b in zip(busy, busy[1:], strict=False)), default=timedelta())
    idle = last - max(busy[-1], clock["since"])
    if idle <= max(timedelta(minutes=config.idle_minutes), pause * config.pauses):
        return None
    return _signal(name, "idle", "medium", idle, f"the last spans were taken at {busy[-1]:%Y-%m-%d %H:%M} UTC", busy[-1], now)


def _accepted(report: dict[str, Any]) -> int:
    """Spans so far; a restart begins anew, so that any difference is news."""
    return next((int(pair["value"]) for pair in report["counts"] if pair["key"] == "spans_accepted"), 0)


def _signal(name: str, verdict: str, severity: str, silence: timedelta, why: str, last: datetime, now: datetime) -> Signal:
    minutes = int(silence.total_seconds() // 60)
    what = "has not reported" if verdict == "gone" else "has taken no spans"
    return Signal(
        rule="S6",
        severity=severity,
        confidence=0.9 if verdict == "gone" else 0.6,
        title=f"Ingester {name} {what} for {minutes} minutes",
        subject_id=f"ingester/{name}",
        subject_name=f"ingester {name}",
        scope=(verdict,),
        trace_id="",
        span_id=f"{name} {verdict} {last:%Y-%m-%dT%H:%M:%SZ}",
        at=now,
        evidence=(Evidence("", "", "context: report of the ingester", why),),
        baseline={"level": "ingester", "verdict": verdict, "expected": "a report a minute", "observed_minutes": minutes},
        counterfactual=f"silent if ingester {name} had {'reported' if verdict == 'gone' else 'taken spans'} in the last {minutes} minutes",
        impact={"unwatched_minutes": minutes},
        basis="declared",
    )


DETECTOR = Detector(
    id="system_intake_stopped",
    family="system",
    title="Intake stopped",
    version=1,
    needs={"reports": ("ingester", "at", "started_at", "counts"), "clock": ("now", "since")},
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Is the process up and its port reachable? Its log and the page Ingest health say what it met last.",
    quiet_hours=1.0,
)
