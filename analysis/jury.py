"""The detectors over one set of frames: each judges what it declared, a broken one stops no other, and all is counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from actorscope.analysis import grace
from actorscope.analysis.detector import Detector
from actorscope.analysis.finding import Signal
from actorscope.analysis.roots import combine
from actorscope.analysis.system import FAILURE, failure_signal
from actorscope.ingest.store.client import Store

log = logging.getLogger(__name__)


class Jury:
    """`inputs` has the rows that each detector was given since the start, by detector and frame."""

    def __init__(self, detectors: Sequence[Detector], configs: Mapping[str, Any]) -> None:
        self.detectors = tuple(detectors)
        self.inputs: Counter[tuple[str, str]] = Counter({(d.id, name): 0 for d in detectors for name in d.needs})
        self._configs = configs
        self._signals: Counter[str] = Counter()
        self._noted: Counter[tuple[str, str]] = Counter()

    def judge(self, offered: Mapping[str, pl.DataFrame], arrivals: pl.DataFrame) -> dict[str, list[Signal]]:
        """The signals of every detector that did not fail, and of FAILURE one for each that did."""
        signals: dict[str, list[Signal]] = {}
        failures: list[Signal] = []
        for detector in self.detectors:
            try:
                signals[detector.id] = self._ask(detector, offered)
            except Exception as error:
                log.exception("detector %s failed on the traces of %d arrivals", detector.id, arrivals.height)
                failures.append(failure_signal(detector.id, error, arrivals))
        return {**combine(signals, self.detectors), FAILURE.id: failures}

    def _ask(self, detector: Detector, offered: Mapping[str, pl.DataFrame]) -> list[Signal]:
        cut = {name: offered[name].select(columns) for name, columns in detector.needs.items()}
        self.inputs.update({(detector.id, name): frame.height for name, frame in cut.items()})
        signals = detector.detect(cut, self._configs[detector.id])
        self._signals[detector.id] += len(signals)
        return grace.soften(signals, offered["young"]) if detector.learns else signals

    def note(self, store: Store, now: datetime) -> None:
        """Add what was counted since the last time to the store, by day."""
        fresh = self.inputs - self._noted
        lines = [{"detector": name, "frame": frame, "rows": n, "signals": 0} for (name, frame), n in fresh.items()]
        lines += [{"detector": name, "frame": "", "rows": 0, "signals": n} for name, n in self._signals.items() if n]
        if lines:
            types: Any = {"detector": pl.String, "frame": pl.String, "rows": pl.UInt64, "signals": pl.UInt64}
            store.insert_frame("detector_inputs", pl.DataFrame(lines, schema=types).with_columns(pl.lit(now.date()).alias("day")))
        self._noted = self.inputs.copy()
        self._signals.clear()
