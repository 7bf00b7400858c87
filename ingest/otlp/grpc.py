"""OTLP/gRPC: raw body in, answer out."""

from __future__ import annotations

from concurrent import futures
from typing import Any

import grpc

from actorscope.ingest.gate import Gate
from actorscope.ingest.intake import Intake
from actorscope.ingest.otlp.answers import keep, refuse

_METHODS = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "metrics",
}
_THREADS = 64
"""Requests read at once; a body is read from its connection only when one of these threads takes it."""


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, intake: Intake, gate: Gate) -> None:
        self._intake, self._gate = intake, gate

    def service(self, details: Any) -> grpc.RpcMethodHandler | None:
        signal = _METHODS.get(details.method)
        if signal is None:
            return None  # grpc answers UNIMPLEMENTED
        return grpc.unary_unary_rpc_method_handler(lambda body, context: self._export(signal, body, context))

    def _export(self, signal: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            sender = self._gate.identify(_authorization(context))
            if not context.is_active():
                raise ConnectionError("the sender has gone")
            with self._intake.budget.hold() as held:
                held.grow(len(body))
                return bytes(keep(self._intake, sender, "grpc", signal, body).SerializeToString())
        except ConnectionError:
            self._intake.refused("disconnected")
            context.abort(grpc.StatusCode.CANCELLED, "the sender has gone")
            raise AssertionError("abort raises") from None
        except Exception as error:
            refusal = refuse(self._intake, "grpc", signal, error)
            context.set_trailing_metadata((("grpc-status-details-bin", refusal.status().SerializeToString()),))
            context.abort(refusal.grpc_code, refusal.message)
            raise AssertionError("abort raises") from error


def _authorization(context: grpc.ServicerContext) -> str | None:
    found = (value for key, value in context.invocation_metadata() if key == "authorization")
    value = next(found, None)
    return value.decode("latin-1") if isinstance(value, bytes) else value


class GrpcDoor:
    """A gRPC server for traces, logs and metrics; `port` is the one it really listens on."""

    def __init__(
        self,
        intake: Intake,
        host: str,
        port: int,
        max_request_mib: int,
        gate: Gate | None = None,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        limit = max_request_mib * 2**20
        self._server = grpc.server(
            futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="otlp-grpc"),
            handlers=[_Handler(intake, gate or Gate())],
            options=[
                ("grpc.max_receive_message_length", limit),
                ("grpc.so_reuseport", 0),
                # Senders may ask every 10 seconds whether we live, between calls too, without being sent away for it.
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
                ("grpc.http2.max_ping_strikes", 0),
            ],
        )
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            self.port = (
                self._server.add_insecure_port(address)
                if credentials is None
                else self._server.add_secure_port(address, credentials)
            )
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address} for OTLP/gRPC: {error}") from error

    def start(self) -> None:
        self._server.start()

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Take no new call, let calls in flight finish."""
        self._server.stop(grace_seconds).wait()
