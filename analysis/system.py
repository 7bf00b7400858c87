"""Findings about Actorscope itself."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from actorscope.analysis.detector import Detector
from actorscope.analysis.finding import Evidence, Signal


@dataclass(frozen=True)
class Config:
    """Nothing to set."""


FAILURE = Detector(
    id="system_detector_failure",
    family="system",
    title="A detector failed",
    version=1,
    needs={},
    config=Config,
    detect=lambda frames, config: [],
    explanation="A detector raised an error on new data; the other detectors went on, this one saw nothing of it.",
    next_step="Read the traceback in the log and report it.",
    quiet_hours=1.0,
)


def failure_signal(detector: str, error: Exception, arrivals: pl.DataFrame) -> Signal:
    """The signal that a detector raised `error` while it looked at `arrivals`."""
    place = arrivals.sort("start_time", "trace_id").row(-1, named=True)
    what = f"{type(error).__name__}: {str(error)[:200]}"
    return Signal(
        rule="S1",
        severity="medium",
        confidence=1.0,
        title=f"Detector {detector} failed: {type(error).__name__}",
        subject_id=f"actorscope/{detector}",
        subject_name=detector,
        scope=(type(error).__name__,),
        trace_id=place["trace_id"],
        span_id="",
        at=place["start_time"],
        evidence=(Evidence(place["trace_id"], "", "context: latest trace of the batch", what),),
        baseline={"level": "process", "expected": "no error", "observed": what},
        counterfactual="silent if the detector had returned",
        impact={"spans_not_judged": arrivals.height},
        basis="declared",
    )
