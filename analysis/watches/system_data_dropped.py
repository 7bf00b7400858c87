"""Telemetry was refused for good, cut or set aside.

**What it finds.** Requests, spans, log records and values that an ingester did not keep as they came in the last hour, by
ingester and reason. What a sender is told to send again is not among them, nor what the operator wants hidden.

**Why it matters.** Whatever is not there cannot be found: each drop is a blind spot, and most have a simple cause in the
configuration of a sender.

**Evidence and basis.** The counters that the ingester itself reported. Declared.

**What it cannot know.** Which agents are concerned: what cannot be read has no name.

**False positives.** Somebody tries the door out with garbage.

**Next step.** See the page Ingest health: each reason says what to do there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Evidence, Signal

_HIGH = ("requests_quarantined", "spool_damaged_bytes")
_LOW = ("attributes_cut", "attributes_dropped")
_NO_DROP = ("refused.throttled", "refused.no_room", "refused.disconnected", "refused.not_otlp", "rejected.metrics_are_not_kept")


@dataclass(frozen=True)
class Config:
    """From which amount on it is said."""

    min_count: int = 1
    """Least number of records, requests or values within the hour."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per ingester and reason; `reports` has a row per report of the last hour, its counts as a list of pairs."""
    reports = sorted(rows(frames["reports"]), key=lambda r: (r["ingester"], r["at"]))
    (clock,) = rows(frames["clock"])
    signals = []
    for ingester in sorted({report["ingester"] for report in reports}):
        mine = [report for report in reports if report["ingester"] == ingester]
        for name in sorted({pair["key"] for report in mine for pair in report["counts"]}):
            amount, last = dropped(mine, name, clock["window_start"])
            if _severity(name) and amount >= config.min_count and last is not None:
                signals.append(_signal(ingester, name, amount, last))
    return signals


def _severity(name: str) -> str:
    """How grave a count is; empty where it is no drop."""
    if name in _HIGH:
        return "high"
    if name in _LOW:
        return "low"
    return "medium" if name.partition(".")[0] in ("refused", "rejected") and name not in _NO_DROP and "." in name else ""


def dropped(reports: list[dict[str, Any]], name: str, window_start: Any) -> tuple[int, dict[str, Any] | None]:
    """By how much a count grew over the reports of one ingester, restarts included, and where it grew last."""
    before, started, total, last = None, None, 0, None
    for report in reports:
        value = next((pair["value"] for pair in report["counts"] if pair["key"] == name), 0)
        if report["started_at"] != started:
            # A process that began within the window brings all of its count; an older one is compared with its first report.
            before = 0 if report["started_at"] >= window_start else value
            started = report["started_at"]
        if before is not None and value > before:
            total, last = total + value - before, report
        before = value
    return total, last


def _signal(ingester: str, name: str, amount: int, report: dict[str, Any]) -> Signal:
    said = name.replace(".", ": ").replace("_", " ")
    since = report["started_at"].isoformat(timespec="seconds")
    why = f"the ingester counted {amount} until {report['at']:%Y-%m-%d %H:%M} UTC"
    return Signal(
        rule="S3",
        severity=_severity(name),
        confidence=1.0,
        title=f"{amount:,} dropped within an hour ({said})",
        subject_id=f"ingester/{ingester}",
        subject_name=f"ingester {ingester}",
        scope=(name,),
        trace_id="",
        span_id=f"{ingester} {name} {since}",
        at=report["at"],
        evidence=(Evidence("", "", "context: report of the ingester", why),),
        baseline={"level": "ingester", "expected": 0, "observed": amount, "window_minutes": 60},
        counterfactual=f"silent if nothing had been {said}",
        impact={"dropped": amount},
        basis="declared",
    )


DETECTOR = Detector(
    id="system_data_dropped",
    family="system",
    title="Data was dropped",
    version=1,
    needs={"reports": ("ingester", "at", "started_at", "counts"), "clock": ("window_start",)},
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="See the page Ingest health: each reason says what to do there.",
    quiet_hours=2.0,
)
