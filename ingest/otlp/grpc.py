"""OTLP/gRPC: raw body in, answer out."""

from __future__ import annotations

import logging
from concurrent import futures
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from actorscope.errors import ActorscopeError
from actorscope.ingest.decode import UndecodableError
from actorscope.ingest.intake import Intake, Receipt
from actorscope.ingest.otlp.status import refusal_of

log = logging.getLogger(__name__)
_METHODS = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
}
_THREADS = 64


def response_of(signal: str, receipt: Receipt) -> ExportTraceServiceResponse | ExportLogsServiceResponse:
    """The OTLP answer to a kept request; `partial_success` is unset when nothing was rejected."""
    if signal == "traces":
        response = ExportTraceServiceResponse()
        if receipt.rejected:
            response.partial_success.rejected_spans = receipt.rejected
            response.partial_success.error_message = receipt.message
        return response
    logs = ExportLogsServiceResponse()
    if receipt.rejected:
        logs.partial_success.rejected_log_records = receipt.rejected
        logs.partial_success.error_message = receipt.message
    return logs


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def service(self, details: Any) -> grpc.RpcMethodHandler | None:
        signal = _METHODS.get(details.method)
        if signal is None:
            return None  # grpc answers UNIMPLEMENTED
        return grpc.unary_unary_rpc_method_handler(lambda body, context: self._export(signal, body, context))

    def _export(self, signal: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return bytes(response_of(signal, self._intake.receive(signal, body)).SerializeToString())
        except Exception as error:
            if not isinstance(error, ActorscopeError | UndecodableError):
                log.exception("unexpected error in OTLP/gRPC %s", signal)
            refusal = refusal_of(error)
            context.set_trailing_metadata((("grpc-status-details-bin", refusal.status().SerializeToString()),))
            context.abort(refusal.grpc_code, refusal.message)
            raise AssertionError("abort raises") from error


class GrpcDoor:
    """A gRPC server for traces and logs; `port` is the one it really listens on."""

    def __init__(self, intake: Intake, host: str, port: int, max_request_mib: int) -> None:
        limit = max_request_mib * 2**20
        self._server = grpc.server(
            futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="otlp-grpc"),
            handlers=[_Handler(intake)],
            options=[
                ("grpc.max_receive_message_length", limit),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ],
        )
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise OSError(f"cannot listen on {host}:{port} for OTLP/gRPC: {error}") from error

    def start(self) -> None:
        self._server.start()

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Take no new call, let calls in flight finish."""
        self._server.stop(grace_seconds).wait()
