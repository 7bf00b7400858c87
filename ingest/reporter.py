"""Writes into the store how this ingester fares, for those who cannot ask it."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from actorscope.errors import ActorscopeError
from actorscope.ingest.counters import Counters
from actorscope.ingest.store.client import Store

log = logging.getLogger(__name__)
_EVERY_SECONDS = 15.0
_AT_LEAST_SECONDS = 60.0
"""A report that says nothing new is written so often, as a sign of life."""
_COUNTS = pa.map_(pa.string(), pa.uint64())
_TIME = pa.timestamp("ms", "UTC")


class Reporter:
    """One thread; a store that does not answer gets the report when it does."""

    def __init__(self, store: Store, ingester: str, counters: Counters, spool_limit: int) -> None:
        self._store, self._ingester, self._counters, self._limit = store, ingester, counters, spool_limit
        self._started_at = datetime.now(UTC)
        self._said: tuple[Any, ...] = ()
        self._said_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The last report is written when the store takes it at once."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        self.report()
        while not self._stop.wait(_EVERY_SECONDS):
            self.report()
        self.report()

    def report(self) -> None:
        """Write a report when there is something new to say, or nothing was said for a while."""
        counts = {key: value for key, value in self._counters.counts().items() if value}
        said = (counts, self._counters.lag_seconds > _EVERY_SECONDS)
        if said == self._said and time.monotonic() - self._said_at < _AT_LEAST_SECONDS:
            return
        row = {
            "ingester": self._ingester,
            "at": datetime.now(UTC),
            "started_at": self._started_at,
            "lag_seconds": self._counters.lag_seconds,
            "spool_bytes": max(0, self._counters.spool_bytes),
            "spool_limit": self._limit,
            "counts": list(counts.items()),
        }
        types = [
            ("ingester", pa.string()), ("at", _TIME), ("started_at", _TIME), ("lag_seconds", pa.float64()),
            ("spool_bytes", pa.uint64()), ("spool_limit", pa.uint64()), ("counts", _COUNTS),
        ]  # fmt: skip
        try:
            self._store.insert("ingest_reports", pa.Table.from_pylist([row], pa.schema(types)))
            self._said, self._said_at = said, time.monotonic()
        except ActorscopeError as error:
            log.debug("the report of this ingester waits: %s", error)
