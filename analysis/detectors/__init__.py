"""The detectors, one file each; this list is the only place that names them all."""

from actorscope.analysis.detector import Detector
from actorscope.analysis.detectors import (
    budget,
    cost_outlier,
    delegation_cycle,
    duplicate_effect,
    first_seen_write,
    scope_violation,
)

DETECTORS: tuple[Detector, ...] = (
    delegation_cycle.DETECTOR,
    scope_violation.DETECTOR,
    first_seen_write.DETECTOR,
    budget.DETECTOR,
    cost_outlier.DETECTOR,
    duplicate_effect.DETECTOR,
)
