"""An OTLP sink on loopback: takes traces and logs over gRPC and HTTP and keeps what came."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


def plain(value: Any) -> Any:
    """An attribute value as a Python value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {pair.key: plain(pair.value) for pair in pairs}


class Sink:
    """Both doors of a backend, with everything that came through them as plain rows."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.grpc = grpc.server(ThreadPoolExecutor(4))
        self.grpc.add_generic_rpc_handlers(
            (
                self.handler("trace", "Trace", ExportTraceServiceRequest, ExportTraceServiceResponse, self.take_spans),
                self.handler("logs", "Logs", ExportLogsServiceRequest, ExportLogsServiceResponse, self.take_logs),
            )
        )
        self.endpoint = f"127.0.0.1:{self.grpc.add_insecure_port('127.0.0.1:0')}"
        self.grpc.start()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.http_handler())
        self.http_endpoint = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @staticmethod
    def handler(package: str, name: str, request: Any, response: Any, take: Any) -> Any:
        """A generic handler of one OTLP service."""

        def export(message: Any, _: Any) -> Any:
            take(message, "grpc")
            return response()

        method = grpc.unary_unary_rpc_method_handler(
            export, request_deserializer=request.FromString, response_serializer=response.SerializeToString
        )
        service = f"opentelemetry.proto.collector.{package}.v1.{name}Service"
        return grpc.method_handlers_generic_handler(service, {"Export": method})

    def http_handler(self) -> type[BaseHTTPRequestHandler]:
        """The handler of `POST /v1/traces`."""
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                sink.take_spans(ExportTraceServiceRequest.FromString(body), "http")
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def take_spans(self, message: Any, door: str) -> None:
        """Keeps the spans of a request."""
        for resource in message.resource_spans:
            service = attributes(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                rows = [self.row(span, service, scope.scope.name, door) for span in scope.spans]
                with self.lock:
                    self.spans.extend(rows)

    @staticmethod
    def row(span: Any, service: str, scope: str, door: str) -> dict[str, Any]:
        """A span as a plain row; its attributes are under `a`."""
        return {
            "service": service,
            "scope": scope,
            "door": door,
            "name": span.name,
            "trace": span.trace_id.hex(),
            "span": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "start": span.start_time_unix_nano,
            "end": span.end_time_unix_nano,
            "status": span.status.code,
            "a": attributes(span.attributes),
        }

    def take_logs(self, message: Any, door: str) -> None:
        """Keeps the log records of a request."""
        for resource in message.resource_logs:
            for scope in resource.scope_logs:
                rows = [
                    {"event": record.event_name, "span": record.span_id.hex(), "a": attributes(record.attributes)}
                    for record in scope.log_records
                ]
                with self.lock:
                    self.logs.extend(rows)

    def close(self) -> None:
        """Closes both doors."""
        self.grpc.stop(None)
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture(scope="module")
def open_sink() -> Iterator[Callable[[], Sink]]:
    """Opens sinks and closes them when the module is done."""
    opened: list[Sink] = []

    def open_one() -> Sink:
        opened.append(Sink())
        return opened[-1]

    yield open_one
    for sink in opened:
        sink.close()
