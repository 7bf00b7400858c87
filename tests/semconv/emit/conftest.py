"""OpenTelemetry in memory: what the helpers tell, without any network. Providers are put back after each test."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry import _logs, trace
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from actorscope.semconv.emit import event
from actorscope.semconv.emit.options import Options, options
from actorscope.semconv.emit.processor import ActorscopeSpanProcessor
from actorscope.semconv.generated import attributes, events

KEYS = {value for name, value in vars(attributes).items() if name.startswith("ACTORSCOPE_") and isinstance(value, str)}
EVENTS = {value for name, value in vars(events).items() if name.startswith("ACTORSCOPE_")}


class Told:
    """What was told: ended spans and events, by name."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self.tracers, self.loggers = TracerProvider(sampler=sampler), LoggerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.tracer = self.tracers.get_tracer("test")

    def process(self, **choices: Any) -> ActorscopeSpanProcessor:
        processor = ActorscopeSpanProcessor(**choices)
        self.tracers.add_span_processor(processor)
        return processor

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        return [span for span in self._spans.get_finished_spans() if name in (None, span.name)]

    def span(self, name: str) -> dict[str, Any]:
        (found,) = self.spans(name)
        return dict(found.attributes or {})

    def records(self, name: str | None = None) -> list[Any]:
        found = [log.log_record for log in self._logs.get_finished_logs()]
        return [record for record in found if name in (None, record.event_name)]

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        return [dict(record.attributes or {}) for record in self.records(name)]

    def event(self, name: str) -> dict[str, Any]:
        (found,) = self.events(name)
        return found


def _install(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", told.tracers)
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", told.loggers)
    monkeypatch.setattr(event, "_warned", set())
    for field in Options.__slots__:
        monkeypatch.setattr(options, field, getattr(Options(), field))


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Sampler], Told]]:
    """Makes what is told with a sampler; every name that was used must be in the registry."""
    made: list[Told] = []

    def make(sampler: Sampler = ALWAYS_ON) -> Told:
        made.append(Told(sampler))
        _install(made[-1], monkeypatch)
        return made[-1]

    yield make
    for told in made:
        told.tracers.shutdown()
        used = {key for span in told.spans() for key in span.attributes or {}}
        used |= {key for said in told.events() for key in said}
        assert {key for key in used if key.startswith("actorscope.")} <= KEYS
        assert {record.event_name for record in told.records()} <= EVENTS


@pytest.fixture
def told(telling: Callable[[], Told]) -> Told:
    return telling()


class Sink:
    """An OTLP/HTTP receiver on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                zipped = self.headers.get("content-encoding") == "gzip"
                sink.bodies.append((self.path, gzip.decompress(body) if zipped else body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _requests(self) -> Iterator[Any]:
        for path, body in list(self.bodies):
            kind = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}[path]
            request = kind.FromString(body)
            yield from request.resource_spans if path == "/v1/traces" else request.resource_logs

    def found(self) -> list[tuple[str, dict[str, Any], Any]]:
        """Spans and events in the order of arrival: name, attributes, the message itself."""
        return [
            (getattr(item, "event_name", "") or item.name, {a.key: _value(a.value) for a in item.attributes}, item)
            for resource in self._requests()
            for scope in (getattr(resource, "scope_spans", None) or resource.scope_logs)
            for item in (getattr(scope, "spans", None) or scope.log_records)
        ]

    def spans(self) -> list[str]:
        return [name for name, _, item in self.found() if hasattr(item, "parent_span_id")]

    def events(self) -> list[str]:
        return [name for name, _, item in self.found() if hasattr(item, "event_name")]

    def services(self) -> set[str]:
        return {
            a.value.string_value for r in self._requests() for a in r.resource.attributes if a.key == "service.name"
        }


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@pytest.fixture
def sink() -> Iterator[Sink]:
    opened = Sink()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


def until(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.01)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that runs the code."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, env=environment or None
    )
