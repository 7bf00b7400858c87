"""The detectors, one file each; this list is the only place that names them all."""

from actorscope.analysis.detector import Detector
from actorscope.analysis.detectors import (
    authority_first_write,
    authority_outside_grant,
    authority_untrusted_target,
    cost_budget,
    cost_outlier,
    delegation_cycle,
    delegation_ping_pong,
    delegation_repeated,
    delegation_runaway,
    reexecution_double_worker,
    reexecution_duplicate_write,
    reexecution_error_loop,
    reexecution_near_duplicate,
    reexecution_read_loop,
    reexecution_retry_storm,
)

DETECTORS: tuple[Detector, ...] = (
    delegation_cycle.DETECTOR,
    delegation_ping_pong.DETECTOR,
    delegation_repeated.DETECTOR,
    delegation_runaway.DETECTOR,
    authority_outside_grant.DETECTOR,
    authority_first_write.DETECTOR,
    authority_untrusted_target.DETECTOR,
    cost_budget.DETECTOR,
    cost_outlier.DETECTOR,
    reexecution_duplicate_write.DETECTOR,
    reexecution_read_loop.DETECTOR,
    reexecution_error_loop.DETECTOR,
    reexecution_near_duplicate.DETECTOR,
    reexecution_double_worker.DETECTOR,
    reexecution_retry_storm.DETECTOR,
)
