"""What the front door counts about itself; every drop is one of these."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from actorscope.telemetry import Reading, Telemetry

_RECORDS = ("accepted", "stored", "rejected", "duplicate")
_SIGNALS = {"spans": "traces", "logs": "logs"}
_CHANGES = ("attributes_cut", "attributes_dropped", "values_redacted", "contents_masked")


@dataclass
class Counters:
    """Counts since the process started; read `snapshot`, write through `add`, `reason` and `set_oldest_waiting`."""

    spans_accepted: int = 0
    spans_stored: int = 0
    spans_rejected: int = 0
    spans_duplicate: int = 0
    logs_accepted: int = 0
    logs_stored: int = 0
    logs_rejected: int = 0
    logs_duplicate: int = 0
    metric_points_rejected: int = 0
    requests_refused: int = 0
    requests_quarantined: int = 0
    attributes_cut: int = 0
    attributes_dropped: int = 0
    values_redacted: int = 0
    contents_masked: int = 0
    spool_bytes: int = 0
    spool_damaged_bytes: int = 0
    telemetry: Telemetry = field(default_factory=Telemetry, repr=False, compare=False)
    _reasons: Counter[str] = field(default_factory=Counter)
    _oldest_waiting_ns: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self.telemetry.watch(self._readings)

    def add(self, **amounts: int) -> None:
        """Add to counters by name; amounts may be negative for `spool_bytes`."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def reason(self, kind: str, reason: str, amount: int = 1) -> None:
        """Count why: `kind` is `refused` (requests) or `rejected` (records)."""
        with self._lock:
            self._reasons[f"{kind}.{reason}"] += amount

    def set_oldest_waiting(self, received_at_ns: int) -> None:
        """When the oldest request arrived that is not in the store yet; 0 when there is none."""
        with self._lock:
            self._oldest_waiting_ns = received_at_ns

    def counts(self) -> dict[str, int]:
        """All counts by name, reasons among them as `refused.<reason>` and `rejected.<reason>`; not the bytes in the log."""
        with self._lock:
            plain = {k: v for k, v in vars(self).items() if isinstance(v, int) and not k.startswith("_")}
            return {**plain, **self._reasons, "spool_bytes": 0}

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest request that cannot be queried yet; a clock that went back makes it 0, never less."""
        oldest = self._oldest_waiting_ns
        return round(max(0.0, (time.time_ns() - oldest) / 1e9), 3) if oldest else 0.0

    def snapshot(self) -> dict[str, float]:
        """All counters without the reasons, and `ingest_lag_seconds`."""
        values: dict[str, float] = {k: v for k, v in self.counts().items() if "." not in k}
        return {**values, "spool_bytes": self.spool_bytes, "ingest_lag_seconds": self.lag_seconds}

    def _readings(self) -> Iterator[Reading]:
        counts = self.counts()
        for records, signal in _SIGNALS.items():
            for outcome in _RECORDS:
                yield "actorscope.ingest.records", {"signal": signal, "outcome": outcome}, counts[f"{records}_{outcome}"]
        for name, value in counts.items():
            kind, _, reason = name.partition(".")
            if reason:
                metric = "refusals" if kind == "refused" else "rejections"
                yield f"actorscope.ingest.{metric}", {"reason": reason}, value
        for kind in _CHANGES:
            yield "actorscope.ingest.changes", {"kind": kind}, counts[kind]
        yield "actorscope.ingest.quarantined", {}, counts["requests_quarantined"]
        yield "actorscope.ingest.damaged", {}, counts["spool_damaged_bytes"]
        yield "actorscope.ingest.spool.size", {}, self.spool_bytes
        yield "actorscope.ingest.lag", {}, self.lag_seconds
