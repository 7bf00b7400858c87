"""Two open doors on loopback before a real intake, and how to knock."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.ingest.conftest import Desk

from actorscope.ingest.gate import Gate
from actorscope.ingest.otlp.asgi import AsgiServer
from actorscope.ingest.otlp.grpc import GrpcDoor
from actorscope.ingest.otlp.http import http_app

METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "profiles": "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
}
RESPONSES: dict[str, Any] = {
    "traces": ExportTraceServiceResponse, "logs": ExportLogsServiceResponse, "metrics": ExportMetricsServiceResponse
}  # fmt: skip
PROTOBUF = "application/x-protobuf"
LIMIT_MIB = 2


@dataclass
class Doors:
    """Open doors before `desk`, and how to knock."""

    desk: Desk
    grpc_port: int
    http_port: int

    def call(
        self, signal: str, body: bytes, compression: grpc.Compression = grpc.Compression.NoCompression, token: str = ""
    ) -> Any:
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}", options=options) as channel:
            metadata = (("authorization", f"Bearer {token}"),) if token else ()
            answer = channel.unary_unary(METHODS[signal])(body, timeout=20, compression=compression, metadata=metadata)
            return RESPONSES[signal].FromString(answer)

    def refused(self, signal: str, body: bytes, **options: Any) -> tuple[grpc.StatusCode, str, Status | None]:
        with pytest.raises(grpc.RpcError) as caught:
            self.call(signal, body, **options)
        error: Any = caught.value
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        return error.code(), error.details(), Status.FromString(details) if details else None

    def post(
        self, path: str, body: Any, method: str = "POST", chunked: bool = False, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        given = {"content-type": PROTOBUF, **{key.replace("_", "-"): value for key, value in headers.items()}}
        try:
            connection.request(method, path, body, given, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def open_doors(open_desk: Callable[..., Desk], gate: Gate | None = None, **settings: Any) -> Iterator[Doors]:
    """Doors that take requests of LIMIT_MIB; nothing leaves the log."""
    slow = {"spool_budget_mib": 16, "segment_idle_seconds": 60, "segment_busy_seconds": 60}
    origins = settings.pop("cors_origins", ())
    desk = open_desk(max_request_mib=LIMIT_MIB, **{**slow, **settings})
    by_grpc = GrpcDoor(desk.intake, "127.0.0.1", 0, LIMIT_MIB, gate)
    by_http = AsgiServer(http_app(desk.intake, LIMIT_MIB, gate, origins), "127.0.0.1", 0, "test-http")
    by_grpc.start()
    by_http.start()
    yield Doors(desk, by_grpc.port, by_http.port)
    by_grpc.stop(0)
    by_http.stop()
