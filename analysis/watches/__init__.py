"""What is looked at by the clock instead of by new spans; listed here."""

from actorscope.analysis.detector import Detector
from actorscope.analysis.watches import (
    authority_unused_grant,
    delegation_deadlock,
    delegation_stalled,
    system_data_dropped,
    system_deliveries_failing,
    system_ingest_lag,
    system_intake_stopped,
    system_source_silent,
)

OURSELVES: tuple[Detector, ...] = (
    system_source_silent.DETECTOR,
    system_data_dropped.DETECTOR,
    system_ingest_lag.DETECTOR,
    system_intake_stopped.DETECTOR,
    system_deliveries_failing.DETECTOR,
)
"""How Actorscope and its senders fare."""
STANDSTILL: tuple[Detector, ...] = (delegation_deadlock.DETECTOR, delegation_stalled.DETECTOR)
"""What stands still right now: spans that have not ended, so that no span tells of them."""
HOLDINGS: tuple[Detector, ...] = (authority_unused_grant.DETECTOR,)
"""What actors hold and do not use: nothing arrives when that happens, and it takes days."""
WATCHES: tuple[Detector, ...] = (*OURSELVES, *STANDSTILL, *HOLDINGS)
