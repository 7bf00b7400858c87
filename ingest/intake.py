"""The story of one request: inspected, recognised when it was sent before, made durable, answered."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from actorscope.errors import TooLargeError, TransientError
from actorscope.ingest.budget import Budget
from actorscope.ingest.counters import Counters
from actorscope.ingest.decode import Inspection, count_points, inspect
from actorscope.ingest.gate import Label
from actorscope.ingest.policy import Changes, Policy
from actorscope.ingest.spool import Record, Spool, digest_of
from actorscope.settings import IngestSettings
from actorscope.telemetry import Reading

log = logging.getLogger(__name__)
_REMEMBERED = 200_000
_PAUSE_SECONDS = 1.0
_STOP = object()
_NO_LABEL = Label()


@dataclass(frozen=True)
class Receipt(Inspection):
    """What the sender is told: all but `rejects` is safe, and `changes` says what was cut from the rest."""

    changes: Changes = field(default_factory=Changes)

    @property
    def message(self) -> str:
        """Why records were rejected and what was cut, for `partial_success`; empty when nothing was."""
        reasons = [f"{r.count} rejected: {r.reason.replace('_', ' ')}" for r in self.rejects]
        return "; ".join(filter(None, [*reasons, self.changes.message]))


class Intake:
    """Takes request bodies from the doors; returns when they would survive a power cut.

    One thread writes the log: it drains what is waiting, writes once, syncs once, releases all (group commit).
    The files of closed segments are handed to `on_closed`, in order.
    """

    def __init__(
        self,
        spool: Spool,
        settings: IngestSettings,
        counters: Counters,
        on_closed: Callable[[Path], None],
        policy: Policy | None = None,
    ) -> None:
        self._spool = spool
        self._policy = policy or Policy(settings.limits)
        self._settings = settings
        self._counters = counters
        self._on_closed = on_closed
        self.telemetry = counters.telemetry
        self.budget = Budget(settings.max_in_flight_mib * 2**20)
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._known: OrderedDict[bytes, Future[None] | None] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False
        self._roll_after = 0.0
        self._segment = spool.open_segment()
        self._thread = threading.Thread(target=self._write_loop, name="intake-log")
        self.telemetry.watch(self._readings)

    def start(self) -> None:
        self._thread.start()

    def remember(self, digests: list[bytes]) -> None:
        """Requests of earlier lives of this ingester; sent again, they are acknowledged and not kept twice."""
        with self._lock:
            for digest in digests[-_REMEMBERED:]:
                self._known[digest] = None

    def receive(self, signal: str, body: bytes, label: Label = _NO_LABEL) -> Receipt:
        """Keep a decompressed request body under the label of its sender and say what was kept; blocks until it is durable.

        Raises UndecodableError for bytes that are no OTLP, TooLargeError above the limit, and TransientError when
        there is no room or the process is closing: nothing was kept then.
        """
        if len(body) > self._settings.max_request_mib * 2**20:
            raise TooLargeError(
                f"request of {len(body)} bytes is over the limit of {self._settings.max_request_mib} MiB"
            )
        found = inspect(signal, body, self._policy.limits)
        digest, is_new, changes = digest_of(signal, body, label.tenant), True, Changes()
        if found.accepted:
            if not self._is_known(digest) and self._policy.concerns(found.is_over):
                body, changes = self._policy.apply(signal, body)
            record = Record(signal, body, time.time_ns(), digest, found.accepted, label.tenant, label.service)
            future, is_new = self._admit(record)
            if future is not None:
                future.result()
        self._count(signal, found, changes if is_new else Changes(), is_new)
        return Receipt(found.accepted, found.rejects, changes=changes)

    def _readings(self) -> Iterator[Reading]:
        yield "actorscope.ingest.spool.limit", {}, self._settings.spool_budget_mib * 2**20
        yield "actorscope.ingest.in_flight", {}, self.budget.used

    def decline_metrics(self, body: bytes) -> int:
        """Count the data points of a metrics request, which are not kept. Raises UndecodableError."""
        points = count_points(body)
        if points:
            self._counters.add(metric_points_rejected=points)
            self._counters.reason("rejected", "metrics_are_not_kept", points)
        return points

    def refused(self, reason: str) -> None:
        """Count a request of which nothing was kept."""
        self._counters.add(requests_refused=1)
        self._counters.reason("refused", reason)

    def _is_known(self, digest: bytes) -> bool:
        with self._lock:
            return digest in self._known

    def _admit(self, record: Record) -> tuple[Future[None] | None, bool]:
        with self._lock:
            if self._closed:
                raise TransientError("shutting down, send again", 1.0)
            if record.digest in self._known:
                return self._known[record.digest], False
            used = self._counters.spool_bytes
            if used > self._settings.spool_budget_mib * 2**20:
                raise TransientError(f"the log holds {used >> 20} MiB that the store has not taken yet", 5.0)
            future: Future[None] = Future()
            self._known[record.digest] = future
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            self._queue.put((record, future))
            return future, True

    def _count(self, signal: str, found: Inspection, changes: Changes, is_new: bool) -> None:
        records = "logs" if signal == "logs" else "spans"
        done = {name: amount for name, amount in vars(changes).items() if amount}
        if done:
            self._counters.add(**done)
        if is_new:
            for reject in found.rejects:
                self._counters.reason("rejected", reject.reason, reject.count)
            self._counters.add(**{f"{records}_accepted": found.accepted, f"{records}_rejected": found.rejected})
        else:
            self._counters.add(**{f"{records}_duplicate": found.accepted})

    def close(self) -> None:
        """Stop taking requests, make durable what is waiting, hand over the last segment."""
        with self._lock:
            self._closed = True
        self._queue.put(_STOP)
        self._thread.join()

    def _write_loop(self) -> None:
        stopping = False
        while not stopping:
            batch: list[tuple[Record, Future[None]]] = []
            try:
                item = self._queue.get(timeout=self._patience())
                while True:
                    if item is _STOP:
                        stopping = True
                    else:
                        batch.append(item)  # type: ignore[arg-type]
                    item = self._queue.get_nowait()
            except queue.Empty:
                pass
            if batch:
                self._commit(batch)
            if self._is_full() or (stopping and self._segment.size):
                self._roll()
        self._segment.close()

    def _commit(self, batch: list[tuple[Record, Future[None]]]) -> None:
        before, began = self._segment.size, time.monotonic()
        try:
            self._segment.append([record for record, _ in batch])
            self.telemetry.observe("actorscope.ingest.commit.duration", time.monotonic() - began)
        except Exception as error:  # whatever it is, this thread must live and the senders must be answered
            log.error("cannot write %d requests to the log", len(batch), exc_info=error)
            with self._lock:
                for record, _ in batch:
                    self._known.pop(record.digest, None)
            for _, future in batch:
                future.set_exception(TransientError(f"cannot write to the log: {error}", 5.0))
            return
        finally:
            self._counters.add(spool_bytes=self._segment.size - before)
        with self._lock:
            for record, _ in batch:
                self._known[record.digest] = None
        for _, future in batch:
            future.set_result(None)

    def _patience(self) -> float | None:
        return max(0.0, self._due() - time.monotonic()) if self._is_used else None

    @property
    def _is_used(self) -> bool:
        return self._segment.size > 0 or self._segment.is_damaged

    def _is_full(self) -> bool:
        return self._is_used and time.monotonic() >= self._due()

    def _due(self) -> float:
        """When the segment is to be closed."""
        if self._segment.is_damaged or self._segment.size >= self._settings.segment_mib * 2**20:
            return self._roll_after
        is_busy = self._segment.count > 4
        age = self._settings.segment_busy_seconds if is_busy else self._settings.segment_idle_seconds
        return max(self._segment.first_at + age, self._roll_after)

    def _roll(self) -> None:
        """Close the segment, open the next one, hand over the closed one. On a full disk the old one stays in use."""
        full = self._segment
        try:
            self._segment = self._spool.open_segment()
        except OSError as error:
            log.error("cannot begin a segment of the log after %s: %s", full.path.name, error)
            self._roll_after = time.monotonic() + _PAUSE_SECONDS
            return
        full.close()
        if full.size:
            self._on_closed(full.path)
