"""What came in since the last pass, in the order in which it was kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.ingest.store.client import Store

ARRIVAL: Any = {
    "seq": pl.UInt64(), "trace_id": pl.String(), "start_time": pl.Datetime("ns", "UTC"), "received_at": pl.Datetime("ns", "UTC"),
    "is_log": pl.Boolean(),
}  # fmt: skip
_MARK: Any = {"ingester": pl.String, "seq": pl.UInt64, "spans": pl.UInt64, "updated_at": pl.Datetime("ns", "UTC")}
_INGESTERS_SECONDS = 5.0
"""How long a new ingester may go unnoticed while the known ones have something new all the time."""


class Arrivals:
    """Knows how far analysis has come with each ingester; what was cut short is forgotten with it."""

    def __init__(self, store: Store, most: int) -> None:
        self._store, self._most = store, most
        self._done: dict[str, tuple[int, int]] = {}
        self._asked_at = 0.0

    def new(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """New arrivals, and the rows of `progress` to write when they are dealt with."""
        is_busy = time.monotonic() - self._asked_at < _INGESTERS_SECONDS
        if is_busy and (found := self._after(self._done))[0].height:
            return found
        rows = self._store.named("ingesters").rows()
        self._done = {name: (seq, spans) for name, _, seq, spans in rows}
        found = self._after({name: self._done[name] for name, last, seq, _ in rows if last > seq})
        self._asked_at = time.monotonic() if found[0].height else 0.0
        return found

    def dealt_with(self, marks: pl.DataFrame) -> None:
        """Write how far analysis has come."""
        self._store.insert_frame("progress", marks)
        self._done |= {name: (seq, spans) for name, seq, spans, _ in marks.iter_rows()}

    def _after(self, done: Mapping[str, tuple[int, int]]) -> tuple[pl.DataFrame, pl.DataFrame]:
        parts, marks, room = [pl.DataFrame(schema=ARRIVAL)], [], self._most
        for ingester, (seq, spans) in done.items():
            new = self._store.named("arrivals", ingester=ingester, after=seq, most=room) if room > 0 else parts[0]
            if new.is_empty():
                continue
            room -= new.height
            parts.append(new.unique(maintain_order=True).cast(ARRIVAL))
            taken = parts[-1].filter(pl.col("is_log").not_()).height
            marks.append((ingester, new["seq"].max(), spans + taken, datetime.now(UTC)))
        return pl.concat(parts), pl.DataFrame(marks, schema=_MARK, orient="row")
