"""The way out: one tracer provider per service with a real OTLP exporter, and logs where a team sends them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Tracer

from actorscope.demo.run import Scope

TIMEOUT = 30
BATCH = 512
OVER_HTTP = ("research", "ops")
VERSIONS = {
    "support-desk": "4.2.0", "research": "1.9.3", "billing": "2.0.7", "ops": "0.14.1", "store-north": "1.0.0", "store-south": "1.0.0",
}  # fmt: skip


class SeededIds(IdGenerator):
    """Trace and span ids from a seed, so that a demo can be played again."""

    def __init__(self, seed: str) -> None:
        self.rng = Random(seed)

    def generate_span_id(self) -> int:
        """A span id that is not zero."""
        return self.rng.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """A trace id that is not zero."""
        return self.rng.getrandbits(128) or 1

    def is_trace_id_random(self) -> bool:
        """The ids are as evenly spread as random ones."""
        return True


class Counted(SpanExporter):
    """An exporter that counts what was accepted and what was not."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self.accepted = 0
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends a batch and counts it."""
        result = self.exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.accepted += len(spans)
        else:
            self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Closes the exporter."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Exports are never held back here."""
        return self.exporter.force_flush(timeout_millis)


@dataclass
class Door:
    """One service on its way to the backend."""

    service: str
    traces: TracerProvider
    logs: LoggerProvider | None
    counted: Counted

    def tracer(self, scope: Scope) -> Tracer:
        """The tracer of an instrumentation in this service."""
        return self.traces.get_tracer(scope.name, scope.version, scope.schema_url)

    def flush(self) -> None:
        """Sends what waits, and waits for it."""
        self.traces.force_flush()
        if self.logs:
            self.logs.force_flush()

    def close(self) -> None:
        """Sends what waits and closes."""
        self.traces.shutdown()
        if self.logs:
            self.logs.shutdown()


def open_door(service: str, endpoint: str, http_endpoint: str, ids: IdGenerator) -> Door:
    """Sets up the SDK of one service as its team would."""
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": VERSIONS[service],
            "service.namespace": "acme",
            "service.instance.id": f"{service}-1",
            "deployment.environment.name": "demo",
        }
    )
    grpc = endpoint if "://" in endpoint else f"http://{endpoint}"
    exporter: SpanExporter
    if service in OVER_HTTP:
        url = http_endpoint.rstrip("/") + "/v1/traces"
        exporter = HttpSpanExporter(endpoint=url, timeout=TIMEOUT, compression=Compression.Gzip)
    else:
        exporter = GrpcSpanExporter(endpoint=grpc, timeout=TIMEOUT)
    counted = Counted(exporter)
    traces = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=ids)
    traces.add_span_processor(BatchSpanProcessor(counted, 16_384, 500, BATCH))
    logs = None
    if service == "support-desk":
        logs = LoggerProvider(resource, shutdown_on_exit=False)
        logs.add_log_record_processor(BatchLogRecordProcessor(GrpcLogExporter(endpoint=grpc, timeout=TIMEOUT), 500))
    return Door(service, traces, logs, counted)


def reachable(endpoint: str, seconds: float = 3.0) -> bool:
    """Whether something listens at an endpoint."""
    parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds):
            return True
    except (OSError, ValueError):
        return False
