"""From closed log segments to the store: read, decode, normalise, insert once, forget."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from actorscope.errors import TransientError
from actorscope.ingest import decode
from actorscope.ingest.columns import ARRIVAL, LOGS, SPANS, TIME
from actorscope.ingest.counters import Counters
from actorscope.ingest.normalise import normalise, normalise_logs
from actorscope.ingest.spool import Record, Spool, Unreadable, scan
from actorscope.ingest.store.client import Store

log = logging.getLogger(__name__)
_ROW_BITS = 22
_RowsOf = Callable[[str, int, Sequence[Record]], pa.Table]
_SEGMENTS = pa.schema(
    [
        *[("ingester", pa.string()), ("segment", pa.uint64()), ("spans", pa.uint64()), ("logs", pa.uint64())],
        *[("requests", pa.list_(pa.binary(16))), ("first_received_at", TIME), ("stored_at", TIME)],
    ]
)


@dataclass(frozen=True)
class _Segment:
    """What was read of a segment and the rows of each signal; rows that could not be built are missing."""

    records: list[Record]
    unread: list[Unreadable]
    rows: dict[str, pa.Table] = field(default_factory=dict)


class Writer:
    """One thread that stores segments in their order; an insert that fails for the moment is tried until it works.

    While one segment is inserted the next is built, never more: the order of inserts is what analysis relies on, which
    does not look again at what it has passed by `seq`. The same segment always yields the same rows and the same token:
    storing it again changes nothing. `on_stored` is called after each segment.
    """

    def __init__(
        self, store: Store, spool: Spool, counters: Counters, on_stored: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._on_stored = on_stored
        self._spool = spool
        self._counters, self._telemetry = counters, counters.telemetry
        self._waiting: queue.Queue[tuple[Path, int] | None] = queue.Queue()
        self._stop = threading.Event()
        self._doubtful: set[str] = {path.name for path in spool.left_over}
        self._thread = threading.Thread(target=self._run, name="writer")
        for path in spool.left_over:
            counters.add(spool_bytes=path.stat().st_size)
            self.put(path)

    def start(self) -> None:
        self._thread.start()

    def put(self, path: Path) -> None:
        """Store the segment of this file after those put before."""
        self._waiting.put((path, path.stat().st_size))

    def close(self) -> None:
        """Store what was put, give up what the store does not take now, end the thread. What is left is replayed."""
        self._waiting.put(None)
        self._thread.join(timeout=30)
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        ready: deque[tuple[Path, int, Future[_Segment]]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="builder") as builder:
            while (ready or self._build(builder, ready)) and not self._stop.is_set():
                path, size, segment = ready.popleft()
                if not self._waiting.empty():
                    self._build(builder, ready)
                pause, is_done = 0.2, self._attempt(path, segment)
                del segment
                while not is_done and not self._stop.wait(pause):
                    pause = min(pause * 2, 10.0)
                    is_done = self._attempt(path)
                if is_done:
                    self._counters.add(spool_bytes=-size)
                if self._waiting.empty() and not ready:
                    self._counters.set_oldest_waiting(0)

    def _build(self, builder: ThreadPoolExecutor, ready: deque[tuple[Path, int, Future[_Segment]]]) -> bool:
        """Have the next segment built, wait for one when there is none; False at the end."""
        if (item := self._waiting.get()) is None:
            self._waiting.put(None)
            return False
        ready.append((*item, builder.submit(self._read, item[0])))
        return True

    def _read(self, path: Path) -> _Segment:
        found = list(scan(path))
        segment = _Segment([r for r in found if isinstance(r, Record)], [r for r in found if isinstance(r, Unreadable)])
        first = int(path.stem) << _ROW_BITS
        for signal in _TABLES:
            mine = [record for record in segment.records if record.signal == signal]
            try:
                rows = self._build_rows(signal, first, mine) if mine else None
            except Exception as error:
                log.info("segment %s is built again when it is stored: %s", path.name, error)
                break  # the numbers of what follows are not known yet
            if rows is not None:
                segment.rows[signal] = rows
                first += rows.num_rows
        return segment

    def _build_rows(self, signal: str, first: int, records: list[Record]) -> pa.Table:
        began = time.monotonic()
        rows = _TABLES[signal][1](self._spool.ingester, first, records)
        self._telemetry.observe("actorscope.ingest.build.duration", time.monotonic() - began)
        return rows

    def _attempt(self, path: Path, built: Future[_Segment] | None = None) -> bool:
        """True when the segment needs no further try. Nothing may end this thread: what it fails at waits on disk."""
        try:
            segment = built.result() if built else self._read(path)
            self._keep_unread(path, segment.unread)
            if segment.records:
                self._counters.set_oldest_waiting(segment.records[0].received_at)
                self._store_segment(int(path.stem), segment)
            self._doubtful.discard(path.name)
            self._spool.remove(path)
            self._on_stored()
        except FileNotFoundError:
            log.error("segment %s was deleted before it was stored", path.name)
        except TransientError as error:
            self._doubtful.add(path.name)
            self._telemetry.add("actorscope.ingest.store.errors", 1, kind="transient")
            log.warning("segment %s waits: %s", path.name, error)
            return False
        except Exception:
            self._doubtful.add(path.name)
            self._telemetry.add("actorscope.ingest.store.errors", 1, kind="unexpected")
            log.exception("segment %s cannot be stored now and waits", path.name)
            return False
        return True

    def _keep_unread(self, path: Path, found: list[Unreadable]) -> None:
        """Set aside what of a segment cannot be read. A write that was cut was answered to nobody; the rest is counted."""
        for kind, is_torn in (("damaged", False), ("torn", True)):
            if data := b"".join(one.data for one in found if one.is_torn is is_torn):
                log.warning("segment %s: %d bytes are %s and are set aside in quarantine", path.name, len(data), kind)
                self._aside(f"{path.stem}.{kind}", data)
                self._counters.add(spool_damaged_bytes=0 if is_torn else len(data))

    def _store_segment(self, segment: int, read: _Segment) -> None:
        records, first = read.records, segment << _ROW_BITS
        spans, bad_traces, last = self._store_signal(segment, "traces", read, first)
        logs, bad_logs, _ = self._store_signal(segment, "logs", read, last)
        # A store that refuses this row too is at fault itself: the segment waits and no request is set aside.
        self._store.insert(
            "segments", self._segment_row(segment, spans, logs, records), f"{self._spool.ingester}-{segment}-segment"
        )
        for index in bad_traces + bad_logs:
            self._set_aside(segment, index, records[index])
        self._counters.add(spans_stored=spans, logs_stored=logs)
        waited = max(0.0, time.time() - records[0].received_at / 1e9)
        self._telemetry.observe("actorscope.ingest.queryable.duration", waited)

    def _store_signal(self, segment: int, signal: str, read: _Segment, first: int) -> tuple[int, list[int], int]:
        """How many rows were stored, which requests can never be, and the next free row number.

        When not all can be stored, each request is tried alone.
        """
        mine = [(index, record) for index, record in enumerate(read.records) if record.signal == signal]
        if not mine:
            return 0, [], first
        table, rows_of = _TABLES[signal]
        ingester, stored = self._spool.ingester, 0
        try:
            rows = read.rows[signal] if signal in read.rows else self._build_rows(signal, first, [r for _, r in mine])
            stored = self._insert(table, rows, f"{segment}-{signal}")
            if stored and self._is_missing(signal, rows, self._is_doubtful(segment)):
                log.warning("segment %d: the store took it for stored and has it not; it is inserted again", segment)
                self._insert(table, rows, f"{segment}-{signal}-{uuid.uuid4().hex[:8]}")
            return stored, [], first + rows.num_rows
        except TransientError:
            raise
        except Exception:
            log.exception("segment %d cannot be stored as a whole; storing its requests one by one", segment)
        bad = []
        for index, record in mine:
            try:
                rows = rows_of(ingester, first, [record])
                first += rows.num_rows  # also when they are refused: a row has the same number on every try
                stored += self._insert(table, rows, f"{segment}-{index}-{signal}")
            except TransientError:
                raise
            except Exception as error:
                log.error("request %d of segment %d cannot be stored: %s", index, segment, error)
                bad.append(index)
        return stored, bad, first

    def _is_doubtful(self, segment: int) -> bool:
        """Whether an earlier try was cut: the store may have noted the token and lost the rows, when the disk was full or the
        process was killed between the two.
        """
        return any(int(name.partition(".")[0]) == segment for name in self._doubtful)

    def _is_missing(self, signal: str, rows: pa.Table, is_doubtful: bool) -> bool:
        """Whether the arrivals of these rows are not there, which is quickly asked, or, after a try that was cut, the rows of a
        whole day: those are stored together or not at all.

        Rows that a later copy has replaced look missing too; inserting them once more changes nothing.
        """
        seqs = pc.min_max(rows.column("seq")).as_py()
        place = {"ingester": self._spool.ingester, "first": seqs["min"], "last": seqs["max"]}
        if signal == "traces" and not self._store.named("arrived", **place).item():
            return True
        if not is_doubtful:
            return False
        times = rows.column("start_time" if signal == "traces" else "time")
        span = pc.min_max(times.cast(pa.int64())).as_py()
        bounds = {"from": _moment(span["min"]), "to": _moment(span["max"] + 1000)}
        days = pc.unique(pc.strftime(times.cast(pa.timestamp("s", "UTC"), safe=False), "%Y-%m-%d")).to_pylist()
        found = self._store.named("days_of_spans" if signal == "traces" else "days_of_logs", **place, **bounds)
        return not set(days) <= set(found["day"])

    def _insert(self, table: str, rows: pa.Table, name: str) -> int:
        if rows.num_rows:
            began = time.monotonic()
            self._store.insert(table, _told(rows), f"{self._spool.ingester}-{name}")
            self._telemetry.observe("actorscope.ingest.insert.duration", time.monotonic() - began)
        return int(rows.num_rows)

    def _set_aside(self, segment: int, index: int, record: Record) -> None:
        """Keep a request that cannot be stored as a file, and count it."""
        self._telemetry.add("actorscope.ingest.store.errors", 1, kind="permanent")
        self._aside(f"{segment:012d}-{index}.{record.signal}.binpb", record.body)
        self._counters.add(requests_quarantined=1)

    def _aside(self, name: str, data: bytes) -> None:
        aside = self._spool.folder / "quarantine"
        aside.mkdir(exist_ok=True)
        (aside / name).write_bytes(data)

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


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1000)


def span_rows(ingester: str, first_seq: int, records: Sequence[Record]) -> pa.Table:
    """The rows of `span_rows` for trace requests, numbered from `first_seq` in order of arrival."""
    spans = _at_home(records, decode.decode_traces([record.body for record in records]))
    facts = normalise(spans)
    columns = {
        **_arrival(ingester, first_seq, records, spans.num_rows),
        **dict(_columns(spans)),
        **dict(_columns(facts)),
    }
    return pa.table({f.name: columns[f.name] for f in SPANS}, schema=SPANS)


def log_rows(ingester: str, first_seq: int, records: Sequence[Record]) -> pa.Table:
    """The rows of `log_rows` for log requests."""
    logs = _at_home(records, decode.decode_logs([record.body for record in records]))
    facts = normalise_logs(logs)
    columns = {
        **_arrival(ingester, first_seq, records, logs.num_rows),
        **dict(_columns(logs)),
        **dict(_columns(facts)),
    }
    return pa.table({f.name: columns[f.name] for f in LOGS}, schema=LOGS)


def _told(rows: pa.Table) -> pa.Table:
    """The columns that say something: a default the store fills in for a tenth of what it costs to send and convert."""
    return rows.select([name for name in rows.schema.names if not _is_empty(rows.column(name))])


def _is_empty(column: pa.ChunkedArray) -> bool:
    """Whether no row has a value other than the default of its type in the store: null, empty text, empty list or map."""
    if column.null_count == len(column):
        return True
    if pa.types.is_string(column.type):
        return not pc.any(pc.not_equal(column, "")).as_py()
    if pa.types.is_list(column.type) or pa.types.is_map(column.type):
        return all(not len(chunk.flatten() if pa.types.is_list(chunk.type) else chunk.items) for chunk in column.chunks)
    return False


def _columns(rows: pa.RecordBatch | pa.Table) -> Iterator[tuple[str, pa.Array]]:
    return ((name, rows.column(name)) for name in rows.schema.names)


def _arrival(ingester: str, first_seq: int, records: Sequence[Record], rows: int) -> dict[str, pa.Array]:
    received = np.full(rows, records[0].received_at, dtype=np.int64)
    return {
        ARRIVAL[0][0]: pa.repeat(pa.scalar(ingester), rows),
        ARRIVAL[1][0]: pa.array(np.arange(first_seq, first_seq + rows, dtype=np.uint64)),
        ARRIVAL[2][0]: pa.array(received).cast(TIME),
        ARRIVAL[3][0]: _labels(records, rows, [record.tenant for record in records]),
    }


def _labels(records: Sequence[Record], rows: int, labels: list[str]) -> pa.Array:
    """One label per row: that of the request in which the row came."""
    if len(set(labels)) == 1:
        return pa.repeat(pa.scalar(labels[0]), rows)
    counts = [record.rows if record.rows >= 0 else decode.inspect(record.signal, record.body).accepted for record in records]
    index = np.repeat(np.arange(len(records)), counts)
    if len(index) != rows:
        raise ValueError(f"{rows} rows came out of requests with {len(index)}")
    return pa.array(labels, pa.string()).take(pa.array(index))


def _at_home(records: Sequence[Record], rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows without a service name get the one that their sender is known by."""
    if not any(record.service for record in records):
        return rows
    service = rows.column("service_name")
    known = _labels(records, rows.num_rows, [record.service for record in records])
    index = rows.schema.get_field_index("service_name")
    return rows.set_column(index, rows.schema.field(index), pc.if_else(pc.equal(service, ""), known, service))


_TABLES: dict[str, tuple[str, _RowsOf]] = {"traces": ("span_rows", span_rows), "logs": ("log_rows", log_rows)}
