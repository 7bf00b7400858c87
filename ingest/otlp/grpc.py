"""OTLP/gRPC: what a call says in HTTP/2, in, what became of it, out. The server of grpcio cannot be used (docs/adr/0009)."""

from __future__ import annotations

import base64
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import grpc

from actorscope.errors import TooLargeError, TransientError
from actorscope.ingest.gate import Gate
from actorscope.ingest.intake import Intake
from actorscope.ingest.otlp.answers import keep, refuse
from actorscope.ingest.otlp.encoding import decompress
from actorscope.ingest.otlp.http2 import HEADER_BYTES, Answer, AnsweredError, Headers
from actorscope.ingest.otlp.listener import Listener
from actorscope.ingest.otlp.status import Refusal, refusal_of

_METHODS = {
    b"/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
    b"/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
    b"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "metrics",
}
_ENCODINGS = {
    b"identity": "identity", b"gzip": "gzip", b"deflate": "deflate", b"zstd": "zstd", b"snappy": "x-snappy-framed"
}  # fmt: skip
"""gRPC's names, and what decompress calls the same."""
_HEADERS: Headers = [
    (b":status", b"200"), (b"content-type", b"application/grpc"), (b"grpc-accept-encoding", b",".join(_ENCODINGS))
]  # fmt: skip
_OK: Headers = [(b"grpc-status", b"0")]
_PREFIX = 5
"""Bytes before a message: whether it is compressed, and how long it is."""
_TIMEOUT = re.compile(rb"(\d{1,8})([HMSmun])")
_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if code != ord("%"))
_LONGEST = 1000


class _NotGrpcError(Exception):
    """A call that breaks the rules of gRPC; with the code that they name."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Export:
    """One call of an Export method: its headers are read at once, its message as it comes, the rest in a thread."""

    def __init__(self, intake: Intake, gate: Gate, limit: int, headers: dict[bytes, bytes]) -> None:
        self._intake, self._limit = intake, limit
        self._signal = _signal(headers)
        self._parts: list[bytes] = []
        self._size, self._length = 0, -1
        self._is_packed = False
        self._deadline = _deadline(headers.get(b"grpc-timeout", b""))
        self._held = intake.budget.hold()
        with self._answering():
            self._sender = gate.identify(_text(headers.get(b"authorization")))
            self._encoding = _encoding(headers)
            self._held.grow(HEADER_BYTES)

    def add(self, data: bytes) -> None:
        with self._answering():
            self._held.grow(len(data))
            self._parts.append(data)
            self._size += len(data)
            if self._length < 0 and self._size >= _PREFIX:
                self._begin()
            if self._size > _PREFIX + self._length >= _PREFIX:
                raise _NotGrpcError(grpc.StatusCode.UNIMPLEMENTED, "more than one message; Export takes one")

    def _begin(self) -> None:
        start = b"".join(self._parts)
        flag, self._length = start[0], int.from_bytes(start[1:_PREFIX], "big")
        if flag > 1:
            raise _NotGrpcError(grpc.StatusCode.INTERNAL, f"the flags of a message are 0 or 1, not {flag}")
        if flag and self._encoding == "identity":
            raise _NotGrpcError(grpc.StatusCode.INTERNAL, "a compressed message without grpc-encoding")
        if self._length > self._limit:
            raise TooLargeError(f"request of {self._length} bytes is over the limit of {self._limit} bytes")
        self._is_packed = bool(flag)
        self._parts = [start[_PREFIX:]]

    def run(self) -> Answer:
        """Keep the message. Nothing is begun for a sender who waits no more."""
        if time.monotonic() > self._deadline:
            self.lost()
            return _refused(Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, 504, "the deadline passed before the request was read"))
        try:
            with self._answering():
                body = self._message()
                answer = keep(self._intake, self._sender, "grpc", self._signal, body).SerializeToString()
        except AnsweredError as refused:
            return refused.answer
        self._held.release()
        return Answer(_HEADERS, b"\0" + len(answer).to_bytes(4, "big") + answer, _OK)

    def _message(self) -> bytes:
        if not self._size:
            raise _NotGrpcError(grpc.StatusCode.UNIMPLEMENTED, "no message; Export takes one")
        if self._size != _PREFIX + self._length:
            raise _NotGrpcError(grpc.StatusCode.INTERNAL, "the message ends too early")
        body = b"".join(self._parts)
        self._parts = []
        if not self._is_packed:
            return body
        plain = decompress(self._encoding, body, self._limit)
        self._held.grow(len(plain))
        return plain

    def lost(self) -> None:
        self._parts = []
        self._held.release()
        self._intake.refused("disconnected")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """An error is what the sender is told; nothing is held any more."""
        try:
            yield
        except Exception as error:
            self._parts = []
            self._held.release()
            if isinstance(error, _NotGrpcError):
                self._intake.refused("not_otlp")
                refusal = Refusal(error.code, 400, str(error))
            else:
                refusal = refuse(self._intake, "grpc", self._signal, error)
            raise AnsweredError(_refused(refusal)) from error


def _signal(headers: dict[bytes, bytes]) -> str:
    """Which Export method is called. Raises AnsweredError for anything else."""
    if not headers.get(b"content-type", b"").lower().startswith(b"application/grpc"):
        raise AnsweredError(Answer([(b":status", b"415")]))
    if headers.get(b":method") != b"POST":
        raise AnsweredError(Answer([(b":status", b"405"), (b"allow", b"POST")]))
    path = headers.get(b":path", b"")
    if path not in _METHODS:
        said = f"no method {path[:200].decode('latin-1')}; OTLP has {', '.join(name.decode() for name in _METHODS)}"
        raise AnsweredError(_refused(Refusal(grpc.StatusCode.UNIMPLEMENTED, 404, said)))
    return _METHODS[path]


def _encoding(headers: dict[bytes, bytes]) -> str:
    named = headers.get(b"grpc-encoding", b"identity")
    if named not in _ENCODINGS:
        known = ", ".join(name.decode() for name in _ENCODINGS)
        said = f"grpc-encoding {named[:50].decode('latin-1')!r} is not read here; use one of {known}"
        raise _NotGrpcError(grpc.StatusCode.UNIMPLEMENTED, said)
    return _ENCODINGS[named]


def _deadline(timeout: bytes) -> float:
    """When the sender stops waiting; never, when it says nothing or nothing that can be read."""
    found = _TIMEOUT.fullmatch(timeout)
    return time.monotonic() + int(found[1]) * _SECONDS[found[2]] if found else float("inf")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _refused(refusal: Refusal) -> Answer:
    """An answer of headers only. Python's OTLP exporter reads RetryInfo from a header of its own, others from the status."""
    said = quote(refusal.message.encode()[:_LONGEST].decode(errors="ignore"), safe=_PLAIN)
    headers = [*_HEADERS, (b"grpc-status", b"%d" % refusal.grpc_code.value[0]), (b"grpc-message", said.encode())]
    status, retry = refusal.status(), refusal.retry_info()
    if status.details:
        headers.append((b"grpc-status-details-bin", _binary(status.SerializeToString())))
    if retry is not None:
        headers.append((b"google.rpc.retryinfo-bin", _binary(retry.SerializeToString())))
    return Answer(headers)


def _binary(value: bytes) -> bytes:
    return base64.b64encode(value).rstrip(b"=")


class GrpcDoor:
    """A gRPC server for traces, logs and metrics; `port` is the one it really listens on."""

    def __init__(
        self, intake: Intake, host: str, port: int, max_request_mib: int, gate: Gate | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        known, limit = gate or Gate(), max_request_mib * 2**20
        late = _refused(refusal_of(TransientError("shutting down, send again", 1.0)))
        self._listener = Listener(
            host, port, "OTLP/gRPC", lambda headers: _Export(intake, known, limit, headers), late, intake.budget, tls
        )
        self.port = self._listener.port

    def start(self) -> None:
        """Returns when calls are answered."""
        self._listener.start()

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Take no new call, let calls in flight finish."""
        self._listener.stop(grace_seconds)
