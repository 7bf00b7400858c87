"""The detectors, one file each; this list is the only place that names them all."""

from actorscope.analysis.detector import Detector
from actorscope.analysis.detectors import (
    authority_first_write,
    authority_identity,
    authority_invalid,
    authority_outside_grant,
    authority_unapproved,
    authority_widened,
    cost_budget,
    cost_outlier,
    delegation_cycle,
    reexecution_duplicate_write,
)

DETECTORS: tuple[Detector, ...] = (
    delegation_cycle.DETECTOR,
    authority_outside_grant.DETECTOR,
    authority_invalid.DETECTOR,
    authority_widened.DETECTOR,
    authority_unapproved.DETECTOR,
    authority_identity.DETECTOR,
    authority_first_write.DETECTOR,
    cost_budget.DETECTOR,
    cost_outlier.DETECTOR,
    reexecution_duplicate_write.DETECTOR,
)
