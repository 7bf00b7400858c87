"""What the front door counts about itself; every drop is one of these."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass
class Counters:
    """Counts since the process started; read `snapshot`, write through `add` and `set_oldest_waiting`."""

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
    _oldest_waiting_ns: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, **amounts: int) -> None:
        """Add to counters by name; amounts may be negative for `spool_bytes`."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def set_oldest_waiting(self, received_at_ns: int) -> None:
        """When the oldest request arrived that is not in the store yet; 0 when there is none."""
        with self._lock:
            self._oldest_waiting_ns = received_at_ns

    def snapshot(self) -> dict[str, float]:
        """All counters, and `ingest_lag_seconds`: age of the oldest request that cannot be queried yet."""
        with self._lock:
            values: dict[str, float] = {k: v for k, v in vars(self).items() if not k.startswith("_")}
            oldest = self._oldest_waiting_ns
        values["ingest_lag_seconds"] = round(max(0.0, (time.time_ns() - oldest) / 1e9), 3) if oldest else 0.0
        return values
