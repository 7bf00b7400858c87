"""The server under test, from outside: how to send to it, and what it answered."""

from __future__ import annotations

import http.client
import json
import os
import socket
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from tests.ingest import otlp
from tests.ingest.doors import METHODS, PROTOBUF, RESPONSES
from tests.otlp_conformance.frames import Frames
from tests.otlp_conformance.inside import Inside

JSON = "application/json"
Code = grpc.StatusCode
RETRYABLE = {Code.CANCELLED, Code.DEADLINE_EXCEEDED, Code.ABORTED, Code.OUT_OF_RANGE, Code.UNAVAILABLE, Code.DATA_LOSS}


def detail(status: Status | None, kind: Any) -> Any:
    """The detail of a kind in a Status; None when it has none."""
    for packed in status.details if status else ():
        if packed.Is(kind.DESCRIPTOR):
            made = kind()
            packed.Unpack(made)
            return made
    return None


@dataclass
class Answer:
    """What gRPC gave back."""

    code: grpc.StatusCode
    message: str
    status: Status | None
    body: bytes
    response: Any = None

    @property
    def retry_seconds(self) -> float | None:
        found = detail(self.status, RetryInfo)
        return found.retry_delay.ToTimedelta().total_seconds() if found else None

    @property
    def bad_request(self) -> BadRequest | None:
        return detail(self.status, BadRequest)


@dataclass
class Reply:
    """What HTTP gave back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    def read(self, signal: str = "traces") -> Any:
        """The OTLP response or the Status in the body, in the encoding that the reply names."""
        made = RESPONSES[signal]() if self.status == 200 else Status()
        if self.kind == PROTOBUF:
            made.ParseFromString(self.body)
        else:
            assert self.kind == JSON, f"the answer is {self.kind or 'of no type'}"
            ParseDict(json.loads(self.body), made)
        return made


@dataclass
class Peer:
    """A server at two addresses that takes requests of `limit` bytes; `inside` where it is our own."""

    grpc: str
    http: str
    limit: int
    token: str = ""
    inside: Inside | None = None

    def call(self, signal: str, body: bytes, compression: Any = grpc.Compression.NoCompression, timeout: float = 30) -> Answer:
        with grpc.insecure_channel(self.grpc, options=[("grpc.max_send_message_length", -1)]) as channel:
            return self.on(channel, signal, body, compression, timeout)

    def on(self, channel: Any, signal: str, body: bytes, compression: Any = None, timeout: float = 30) -> Answer:
        """A call over a channel that is open already."""
        metadata = (("authorization", f"Bearer {self.token}"),) if self.token else ()
        try:
            data = channel.unary_unary(METHODS[signal])(body, timeout=timeout, compression=compression, metadata=metadata)
            return Answer(Code.OK, "", None, data, RESPONSES[signal].FromString(data))
        except grpc.RpcError as caught:
            error: Any = caught
            packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
            return Answer(error.code(), error.details() or "", Status.FromString(packed) if packed else None, b"")

    def frames(self) -> Frames:
        return Frames(self.grpc)

    def post(
        self, body: Any, kind: str = PROTOBUF, encoding: str = "", path: str = "/v1/traces", method: str = "POST", **headers: str
    ) -> Reply:
        connection = http.client.HTTPConnection(self.http, timeout=30)
        given = {"content-type": kind, "content-encoding": encoding, "authorization": self.token and f"Bearer {self.token}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            chunked = given.get("transfer-encoding") == "chunked"
            connection.request(method, path, body, {k: v for k, v in given.items() if v}, encode_chunked=chunked)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def wire(self) -> socket.socket:
        """A bare connection to the HTTP door."""
        host, _, port = self.http.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=20)


def trace() -> int:
    """The number of a trace that nobody used before."""
    return int.from_bytes(os.urandom(16), "big") | 1


def hex_of(number: int) -> str:
    return number.to_bytes(16, "big").hex()


def good(number: int = 0) -> bytes:
    """A request of one good span."""
    return otlp.traces(otlp.span(1, {"a": "b"}, trace=number or trace()))


def sized(size: int) -> bytes:
    """A good request of exactly `size` bytes, in values of 1 MiB: servers cut longer ones."""
    number, whole = trace(), (size - 2**19) // 2**20
    values = {f"k{n}": "x" * 2**20 for n in range(whole)}

    def filled(rest: int) -> bytes:
        return otlp.traces(otlp.span(1, {**values, "rest": "x" * rest}, trace=number))

    rest = size - whole * 2**20 - 2000
    body = filled(rest + size - len(filled(rest)))
    assert len(body) == size
    return body


def spoilt(count: int = 1, number: int = 0) -> bytes:
    """A request of one good span and `count` without a trace id."""
    bad = [otlp.span(n + 2, trace_id=b"") for n in range(count)]
    return otlp.traces(otlp.span(1, trace=number or trace()), *bad)
