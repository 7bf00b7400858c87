"""From closed log segments to the store: read, decode, normalise, insert once, forget."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from actorscope.errors import TransientError
from actorscope.ingest import decode
from actorscope.ingest.columns import ARRIVAL, LOGS, SPANS, TIME
from actorscope.ingest.counters import Counters
from actorscope.ingest.normalise import normalise
from actorscope.ingest.spool import Record, Spool, read
from actorscope.ingest.store.client import Store

log = logging.getLogger(__name__)
_ROW_BITS = 22
_SEGMENTS = pa.schema(
    [
        *[("ingester", pa.string()), ("segment", pa.uint64()), ("spans", pa.uint64()), ("logs", pa.uint64())],
        *[("requests", pa.list_(pa.binary(16))), ("first_received_at", TIME), ("stored_at", TIME)],
    ]
)


class Writer:
    """One thread that stores segments in their order; an insert that fails for the moment is tried until it works.

    The same segment always yields the same rows and the same token: storing it again changes nothing.
    """

    def __init__(self, store: Store, spool: Spool, counters: Counters) -> None:
        self._store = store
        self._spool = spool
        self._counters = counters
        self._waiting: queue.Queue[Path | None] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer")
        for path in spool.left_over:
            counters.add(spool_bytes=path.stat().st_size)
            self.put(path)

    def start(self) -> None:
        self._thread.start()

    def put(self, path: Path) -> None:
        """Store the segment of this file after those put before."""
        self._waiting.put(path)

    def close(self) -> None:
        """Store what was put, give up what the store does not take now, end the thread. What is left is replayed."""
        self._waiting.put(None)
        self._thread.join(timeout=30)
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while (path := self._waiting.get()) is not None and not self._stop.is_set():
            pause = 0.2
            while not self._attempt(path) and not self._stop.wait(pause):
                pause = min(pause * 2, 10.0)
            if self._waiting.empty():
                self._counters.set_oldest_waiting(0)

    def _attempt(self, path: Path) -> bool:
        """True when the segment needs no further try."""
        try:
            size = path.stat().st_size
            records = list(read(path))
            if records:
                self._counters.set_oldest_waiting(records[0].received_at)
                self._store_records(int(path.stem), records)
        except TransientError as error:
            log.warning("segment %s waits: %s", path.name, error)
            return False
        self._spool.remove(path)
        self._counters.add(spool_bytes=-size)
        return True

    def _store_records(self, segment: int, records: list[Record]) -> None:
        try:
            spans, logs = self._insert(segment, "", records)
        except TransientError:
            raise
        except Exception:
            log.exception("segment %d cannot be stored as a whole; storing its requests one by one", segment)
            spans, logs = self._one_by_one(segment, records)
        self._store.insert(
            "segments", self._segment_row(segment, spans, logs, records), f"{self._token(segment)}-segment"
        )
        self._counters.add(spans_stored=spans, logs_stored=logs)

    def _one_by_one(self, segment: int, records: list[Record]) -> tuple[int, int]:
        """Keep the good requests of a segment; a bad one is set aside as a file and counted."""
        spans = logs = 0
        for index, record in enumerate(records):
            try:
                more = self._insert(segment, f"-{index}", [record], first_row=index << 12)
                spans, logs = spans + more[0], logs + more[1]
            except TransientError:
                raise
            except Exception:
                log.exception("request %d of segment %d was set aside", index, segment)
                aside = self._spool.folder / "quarantine"
                aside.mkdir(exist_ok=True)
                (aside / f"{segment:012d}-{index}.{record.signal}.binpb").write_bytes(record.body)
                self._counters.add(requests_quarantined=1)
        return spans, logs

    def _token(self, segment: int) -> str:
        return f"{self._spool.ingester}-{segment}"

    def _insert(self, segment: int, suffix: str, records: Sequence[Record], first_row: int = 0) -> tuple[int, int]:
        counts = []
        for signal, table, rows_of in (("traces", "span_rows", span_rows), ("logs", "log_rows", log_rows)):
            mine = [record for record in records if record.signal == signal]
            count = 0
            if mine:
                rows = rows_of(self._spool.ingester, (segment << _ROW_BITS) + first_row, mine)
                count = rows.num_rows
                if count:
                    self._store.insert(table, rows, f"{self._token(segment)}{suffix}-{signal}")
            counts.append(count)
        return counts[0], counts[1]

    def _segment_row(self, segment: int, spans: int, logs: int, records: list[Record]) -> pa.Table:
        row = {
            "ingester": self._spool.ingester,
            "segment": segment,
            "spans": spans,
            "logs": logs,
            "requests": [record.digest for record in records],
            "first_received_at": records[0].received_at,
            "stored_at": time.time_ns(),
        }
        return pa.Table.from_pylist([row], _SEGMENTS)


def span_rows(ingester: str, first_seq: int, records: Sequence[Record]) -> pa.Table:
    """The rows of `span_rows` for trace requests, numbered from `first_seq` in order of arrival."""
    spans = decode.decode_traces([record.body for record in records])
    facts = normalise(spans)
    columns = {
        **_arrival(ingester, first_seq, records, spans.num_rows),
        **dict(_columns(spans)),
        **dict(_columns(facts)),
    }
    return pa.table({f.name: columns[f.name] for f in SPANS}, schema=SPANS)


def log_rows(ingester: str, first_seq: int, records: Sequence[Record]) -> pa.Table:
    """The rows of `log_rows` for log requests."""
    logs = decode.decode_logs([record.body for record in records])
    columns = {**_arrival(ingester, first_seq, records, logs.num_rows), **dict(_columns(logs))}
    return pa.table({f.name: columns[f.name] for f in LOGS}, schema=LOGS)


def _columns(rows: pa.RecordBatch | pa.Table) -> Iterator[tuple[str, pa.Array]]:
    return ((name, rows.column(name)) for name in rows.schema.names)


def _arrival(ingester: str, first_seq: int, records: Sequence[Record], rows: int) -> dict[str, pa.Array]:
    received = np.full(rows, records[0].received_at, dtype=np.int64)
    return {
        ARRIVAL[0][0]: pa.repeat(pa.scalar(ingester), rows),
        ARRIVAL[1][0]: pa.array(np.arange(first_seq, first_seq + rows, dtype=np.uint64)),
        ARRIVAL[2][0]: pa.array(received).cast(TIME),
    }
