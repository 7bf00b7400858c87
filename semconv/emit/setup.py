"""One call that makes a process tell of its agents, beside whatever instrumentation it already has.

Names of the SDK are imported when it is called, so that the helpers need the API only.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from opentelemetry import _logs, trace

from actorscope.semconv.emit.event import log, quietly
from actorscope.semconv.emit.options import options
from actorscope.semconv.emit.processor import ActorscopeSpanProcessor

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter

SPAN_DELAY_MILLIS, EVENT_DELAY_MILLIS = 1000, 500
_INSTALL = "pip install 'actorscope[emit]'"
_lock = threading.Lock()
_present: Handle | None = None


class SetupError(RuntimeError):
    """Telemetry cannot be set up in this process; the message says what to do."""


class Handle:
    """What `setup` started. Leaving the process flushes it; nothing needs to be called."""

    def __init__(self, processor: ActorscopeSpanProcessor) -> None:
        self.processor = processor
        self._flushes: list[Callable[[int], Any]] = [processor.force_flush]
        self._ends: list[Callable[[], Any]] = [processor.shutdown]

    def flush(self, timeout_millis: int = 5000) -> None:
        """Send what waits now."""
        for flush in self._flushes:
            quietly(flush, timeout_millis)

    def shutdown(self) -> None:
        """Send what waits and stop what `setup` started. Providers that were there before go on."""
        global _present
        with _lock:
            if _present is self:
                _present = None
        atexit.unregister(self.shutdown)
        for end in self._ends:
            quietly(end)
        self._flushes, self._ends = [], []

    def _own(self, part: Any) -> None:
        self._flushes.append(part.force_flush)
        self._ends.append(part.shutdown)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()


def setup(
    service_name: str | None = None,
    *,
    endpoint: str | None = None,
    heartbeat_seconds: float | None = 30.0,
    all_spans: bool = False,
    max_open_spans: int = 10_000,
    digest_key: bytes | None = None,
    capture_content: bool = False,
) -> Handle:
    """Tell of agents from here on. A second call changes nothing and returns the same handle.

    Providers of OpenTelemetry that are set already stay and get our processor; then spans and events go where they
    went, and to `endpoint` as well when it is given. Where none is set, this makes them, exporting over OTLP to
    `endpoint`, else to OTEL_EXPORTER_OTLP_ENDPOINT, else to port 4318 of this machine (4317 is spoken to in gRPC).
    """
    global _present
    with _lock:
        if _present is not None:
            return _present
        provider = trace.get_tracer_provider()
        is_new = isinstance(provider, trace.ProxyTracerProvider)
        if not is_new and not hasattr(provider, "add_span_processor"):
            raise SetupError(
                f"the tracer provider {type(provider).__name__} takes no span processors: "
                "set one of opentelemetry-sdk, or none, before semconv.setup()"
            )
        processor = ActorscopeSpanProcessor(
            heartbeat_seconds=heartbeat_seconds, all_spans=all_spans, max_open_spans=max_open_spans
        )
        handle = Handle(processor)
        resource = _resource(service_name, provider)
        if is_new:
            provider = _new_tracer_provider(resource, handle, endpoint)
        elif endpoint:
            _also_send_spans(provider, handle, endpoint)
        _send_events(resource, handle, endpoint)
        provider.add_span_processor(processor)  # type: ignore[attr-defined]
        options.digest_key, options.capture_content = digest_key, capture_content
        # After those of the providers, so that it runs before them.
        atexit.register(handle.shutdown)
        _present = handle
        return handle


def _resource(service_name: str | None, provider: object) -> Resource:
    try:
        from opentelemetry.sdk.resources import Resource
    except ModuleNotFoundError as error:
        raise SetupError(f"semconv.setup() needs opentelemetry-sdk: {_INSTALL}") from error
    found = getattr(provider, "resource", None)
    if isinstance(found, Resource):
        return found
    return Resource.create({"service.name": service_name} if service_name else {})


def _new_tracer_provider(resource: Resource, handle: Handle, endpoint: str | None) -> trace.TracerProvider:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter, _ = _exporters(endpoint)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SPAN_DELAY_MILLIS))
    trace.set_tracer_provider(provider)
    handle._own(provider)
    return provider


def _also_send_spans(provider: Any, handle: Handle, endpoint: str) -> None:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter, _ = _exporters(endpoint)
    batches = BatchSpanProcessor(exporter, schedule_delay_millis=SPAN_DELAY_MILLIS)
    provider.add_span_processor(batches)
    handle._own(batches)


def _send_events(resource: Resource, handle: Handle, endpoint: str | None) -> None:
    """Events need a logger provider; one that is there keeps its logs to itself and sends us only our events."""
    from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadWriteLogRecord
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    class OurEvents(LogRecordProcessor):
        """Passes on what our convention names, and no other log of the program."""

        def __init__(self, batches: Any) -> None:
            self._batches = batches

        def on_emit(self, log_record: ReadWriteLogRecord) -> None:
            if (log_record.log_record.event_name or "").startswith("actorscope."):
                self._batches.on_emit(log_record)

        def shutdown(self) -> None:
            self._batches.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return bool(self._batches.force_flush(timeout_millis))

    provider: Any = _logs.get_logger_provider()
    is_new = not hasattr(provider, "add_log_record_processor")
    if is_new and type(provider).__name__ != "ProxyLoggerProvider":
        log.warning("the logger provider %s stays; events go to it alone", type(provider).__name__)
        return
    if not is_new and not endpoint:
        return
    _, exporter = _exporters(endpoint)
    batches = BatchLogRecordProcessor(exporter, schedule_delay_millis=EVENT_DELAY_MILLIS)
    if is_new:
        made = LoggerProvider(resource=resource)
        made.add_log_record_processor(batches)
        _logs.set_logger_provider(made)
        handle._own(made)
    else:
        ours = OurEvents(batches)
        provider.add_log_record_processor(ours)
        handle._own(ours)


def _exporters(endpoint: str | None) -> tuple[SpanExporter, LogRecordExporter]:
    """OTLP over HTTP, or over gRPC where the port is 4317."""
    if endpoint is not None and urlsplit(endpoint).port == 4317:
        return _grpc_exporters(endpoint)
    try:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ModuleNotFoundError as error:
        raise SetupError(f"semconv.setup() needs opentelemetry-exporter-otlp to send anything: {_INSTALL}") from error
    if endpoint is None:
        spans, events = OTLPSpanExporter(), OTLPLogExporter()
        # What the environment says is read by the exporter; many set the gRPC port there.
        is_grpc = quietly(lambda: urlsplit(getattr(spans, "_endpoint", "")).port) == 4317
        return _grpc_exporters(None) if is_grpc else (spans, events)
    start = endpoint.rstrip("/")
    return OTLPSpanExporter(endpoint=f"{start}/v1/traces"), OTLPLogExporter(endpoint=f"{start}/v1/logs")


def _grpc_exporters(endpoint: str | None) -> tuple[SpanExporter, LogRecordExporter]:
    try:
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    except ModuleNotFoundError as error:
        raise SetupError(f"port 4317 is gRPC, which needs opentelemetry-exporter-otlp: {_INSTALL}") from error
    insecure = None if endpoint is None else not endpoint.startswith("https:")
    return (
        OTLPSpanExporter(endpoint=endpoint, insecure=insecure),
        OTLPLogExporter(endpoint=endpoint, insecure=insecure),
    )
