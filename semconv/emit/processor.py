"""A span processor that tells of spans before they end: an event at the start, heartbeats while they are open.

It knows the SDK only by the shape of its spans, so that importing it needs no SDK.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from time import monotonic, time_ns
from typing import Any, NamedTuple
from weakref import ReferenceType, WeakMethod, ref

from opentelemetry._logs import LoggerProvider
from opentelemetry.context import Context, get_current
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from actorscope.semconv.emit.carried import inherited
from actorscope.semconv.emit.event import hand_over, log, quietly
from actorscope.semconv.emit.names import GEN_AI_OPERATION_NAME, MCP_METHOD_NAME
from actorscope.semconv.emit.values import Attributes, given
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated import events

_GATHER_SECONDS = 0.1
_OWN = "actorscope."


class _Open(NamedTuple):
    """A span that was announced. The reference is weak: a span that the program lost will never end and has no heart."""

    span: ReferenceType[Any]
    context: SpanContext
    name: str
    start: int


class _Event(NamedTuple):
    """An event on its way to the logger."""

    name: str
    attributes: Attributes
    context: Context
    timestamp: int


class ActorscopeSpanProcessor:
    """Give it to `TracerProvider.add_span_processor`; `setup` does.

    Copies baggage to the attributes of every span. Announces those that start with `gen_ai.operation.name`,
    `mcp.method.name` or an attribute of ours (or all spans) and are sampled, and beats for them until they end. One
    daemon thread hands the events to the logger, so that no user code waits for an exporter. When more than
    `max_open_spans` are open, further ones are not announced: nobody must take them for crashed later.
    """

    def __init__(
        self,
        *,
        heartbeat_seconds: float | None = 30.0,
        all_spans: bool = False,
        max_open_spans: int = 10_000,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        self._interval = heartbeat_seconds if heartbeat_seconds and heartbeat_seconds > 0 else None
        self._all_spans, self._limit, self._logs = all_spans, max_open_spans, logger_provider
        self._stopped = False
        self.dropped = 0
        self._reset()
        if hasattr(os, "register_at_fork"):
            again: WeakMethod[Any] = WeakMethod(self._reset)
            os.register_at_fork(after_in_child=lambda: (found := again()) and found())

    def _reset(self) -> None:
        """Start empty, also in a forked child: its parent tells of what was open, and threads do not survive a fork."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._quit = threading.Event()
        self._thread: threading.Thread | None = None
        self._open: dict[int, _Open] = {}
        self._queue: deque[_Event] = deque()

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Of the SDK: a span has started."""
        quietly(self._started, span, get_current() if parent_context is None else parent_context)

    def on_end(self, span: Any) -> None:
        """Of the SDK: a span has ended."""
        quietly(self._ended, span)

    def _on_ending(self, span: Any) -> None:
        """Of the SDK: a span is about to end."""

    def _started(self, span: Any, context: Context) -> None:
        before = dict(span.attributes or {})
        above = {key: value for key, value in inherited(context).items() if key not in before}
        if above:
            span.set_attributes(above)
        where: SpanContext = span.get_span_context()
        is_ours = (
            GEN_AI_OPERATION_NAME in before or MCP_METHOD_NAME in before or any(k.startswith(_OWN) for k in before)
        )
        if self._stopped or not where.trace_flags.sampled or not (is_ours or self._all_spans):
            return
        with self._lock:
            if len(self._open) >= self._limit:
                self._forget_lost()
            if len(self._open) >= self._limit or len(self._queue) >= self._limit:
                self.dropped += 1
                return
            self._open[where.span_id] = _Open(ref(span), where, span.name, span.start_time)
        parent = f"{span.parent.span_id:016x}" if span.parent else None
        said: dict[str, object] = {
            a.ACTORSCOPE_SPAN_NAME: span.name,
            a.ACTORSCOPE_SPAN_KIND: span.kind.name.lower(),
            a.ACTORSCOPE_SPAN_PARENT_ID: parent,
        }
        attributes = {**before, **above, **given(said)}
        place = set_span_in_context(NonRecordingSpan(where), context)  # not the span itself: it may get lost
        self._send(_Event(events.ACTORSCOPE_SPAN_START, attributes, place, span.start_time))

    def _ended(self, span: Any) -> None:
        with self._lock:
            self._open.pop(span.get_span_context().span_id, None)

    def _forget_lost(self) -> None:
        for key in [key for key, entry in self._open.items() if entry.span() is None]:
            del self._open[key]

    def _send(self, event: _Event) -> None:
        self._queue.append(event)
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="actorscope-events", daemon=True)
                    self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        beat_at = monotonic() + (self._interval or 0)
        while not self._quit.is_set():
            if not self._open or self._interval is None:
                self._wake.wait()
                beat_at = monotonic() + (self._interval or 0)
            else:
                self._wake.wait(max(0.0, beat_at - monotonic()))
            if self._wake.is_set() and not self._quit.wait(_GATHER_SECONDS):
                self._wake.clear()
            self._drain()
            if self._interval is not None and monotonic() >= beat_at:
                self._beat()
                beat_at = monotonic() + self._interval

    def _drain(self) -> None:
        while self._queue:
            try:
                event = self._queue.popleft()
            except IndexError:  # somebody else who drains was faster
                return
            quietly(hand_over, *event, self._logs)

    def _beat(self) -> None:
        with self._lock:
            self._forget_lost()
            still = list(self._open.values())
        now = time_ns()
        for entry in still:
            said: dict[str, object] = {
                a.ACTORSCOPE_SPAN_ELAPSED: max(0.0, (now - entry.start) / 1e9),
                a.ACTORSCOPE_SPAN_NAME: entry.name,
            }
            context = set_span_in_context(NonRecordingSpan(entry.context), Context())
            quietly(hand_over, events.ACTORSCOPE_SPAN_HEARTBEAT, given(said), context, now, self._logs)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hand over what waits. The logger's own processors are flushed by their provider."""
        quietly(self._drain)
        return not self._queue

    def shutdown(self) -> None:
        """Stop the thread and hand over what waits; a logger that blocks is not waited for longer than two seconds."""
        self._stopped = True
        self._quit.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(2.0)
        if thread is None or not thread.is_alive():
            quietly(self._drain)
        if dropped := self.dropped:
            self.dropped = 0
            log.warning("%d spans were not announced: more than %d were open at once", dropped, self._limit)
