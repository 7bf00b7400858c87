"""What watches Actorscope and its senders, by the clock instead of by new spans; listed here."""

from actorscope.analysis.detector import Detector
from actorscope.analysis.watches import system_data_dropped, system_ingest_lag, system_source_silent

WATCHES: tuple[Detector, ...] = (
    system_source_silent.DETECTOR,
    system_data_dropped.DETECTOR,
    system_ingest_lag.DETECTOR,
)
