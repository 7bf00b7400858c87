"""What was received cannot be queried yet, and the backlog grows.

**What it finds.** Ingesters whose oldest waiting request is older than a threshold and not getting younger, or whose log is
nearly full.

**Why it matters.** Findings come late; once the log is full, senders are told to wait and lose data when their own queues
are full.

**Evidence and basis.** The reports of the ingester over the last ten minutes. Declared.

**What it cannot know.** Why the store is slow or away.

**False positives.** A planned outage of the store; a bulk replay.

**Next step.** Is the store up, is its disk full? Compare inserts per second and their duration on the page Ingest health.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Evidence, Signal

_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True)
class Config:
    """How late is too late."""

    medium_seconds: float = 60.0
    """Lag from which it is medium, while it grows."""
    high_seconds: float = 600.0
    """Lag from which it is high, growing or not."""
    full_share: float = 0.8
    """Share of the log's budget from which it is high."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per ingester that lags."""
    (clock,) = rows(frames["clock"])
    by_ingester: dict[str, list[dict[str, Any]]] = {}
    for report in sorted(rows(frames["reports"]), key=lambda r: r["at"]):
        if report["at"] >= clock["now"] - _WINDOW:
            by_ingester.setdefault(report["ingester"], []).append(report)
    found = (_lag(ingester, reports, config) for ingester, reports in sorted(by_ingester.items()))
    return [signal for signal in found if signal is not None]


def _lag(ingester: str, reports: list[dict[str, Any]], config: Config) -> Signal | None:
    last, earlier = reports[-1], reports[:-1]
    lag = last["lag_seconds"]
    share = last["spool_bytes"] / max(1, last["spool_limit"])
    grows = all(lag >= report["lag_seconds"] for report in earlier)
    is_high = lag >= config.high_seconds or share >= config.full_share
    if not is_high and not (lag >= config.medium_seconds and grows):
        return None
    return Signal(
        rule="S4",
        severity="high" if is_high else "medium",
        confidence=1.0,
        title=f"Telemetry waits {lag:.0f} s for the store; the log is {share:.0%} full",
        subject_id=f"ingester/{ingester}",
        subject_name=f"ingester {ingester}",
        scope=("lag",),
        trace_id="",
        span_id=f"{ingester} lag {reports[0]['started_at'].isoformat(timespec='seconds')}",
        at=last["at"],
        evidence=(Evidence("", "", "context: report of the ingester", f"{lag:.0f} s at {last['at']:%H:%M:%S} UTC"),),
        baseline={"level": "ingester", "threshold_seconds": config.medium_seconds, "observed_seconds": round(lag, 1)},
        counterfactual=f"silent if the oldest waiting request were younger than {config.medium_seconds:g} s",
        impact={"lag_seconds": round(lag, 1), "spool_bytes": last["spool_bytes"]},
        basis="declared",
    )


DETECTOR = Detector(
    id="system_ingest_lag",
    family="system",
    title="Ingest lags",
    version=1,
    needs={"reports": ("ingester", "at", "started_at", "lag_seconds", "spool_bytes", "spool_limit"), "clock": ("now",)},
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Is the store up, is its disk full? Compare inserts per second and their duration on the page Ingest health.",
    quiet_hours=1.0,
)
