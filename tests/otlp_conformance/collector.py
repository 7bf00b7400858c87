"""Rows C1 to C7: what the tests of the OpenTelemetry Collector's own receiver look at and the rows before do not."""

from __future__ import annotations

import gzip
import socket

import pytest
import zstandard
from google.rpc.status_pb2 import Status
from tests.ingest import otlp
from tests.ingest.doors import PROTOBUF
from tests.otlp_conformance.grpc import inside
from tests.otlp_conformance.http import PACK, json_body, refused
from tests.otlp_conformance.peer import JSON, Code, Peer, good, trace
from tests.otlp_conformance.rows import NotMeasuredError, row

from actorscope.errors import DefinitionError
from actorscope.ingest.otlp.asgi import AsgiServer
from actorscope.ingest.otlp.grpc import GrpcDoor
from actorscope.ingest.otlp.tls import context
from actorscope.settings import TlsSettings


@row("C1", "O", "protobuf and JSON, plain, gzip and zstd: taken, refused for good, refused for now")
def matrix(peer: Peer) -> None:
    own = inside(peer)
    for kind, make in ((PROTOBUF, good), (JSON, json_body)):
        for name in ("", "gzip", "zstd"):
            pack = PACK.get(name, bytes)
            assert peer.post(pack(make()), kind, name).status == 200, f"{kind} {name}"
            refused(peer.post(pack(b"\xff\xff"), kind, name), 400, kind)
            with own.full():
                refused(peer.post(pack(make()), kind, name), 503, kind)


@row("C2", "O", "damaged gzip and zstd are 400 with a Status in the encoding of the request that names the cause")
def damaged(peer: Peer) -> None:
    for kind in (PROTOBUF, JSON):
        for name in ("gzip", "zstd"):
            reply = peer.post(b"not compressed", kind, name)
            refused(reply, 400, kind)
            assert name in reply.read().message, "the cause is not named"


@row("C3", "O", "an error without a known Content-Type is told in JSON")
def fallback(peer: Peer) -> None:
    refused(peer.post(good(), ""), 415, JSON)
    refused(peer.post(good(), "text/plain"), 415, JSON)


@row("C4", "O", "taken, refused for now and for good, taken: each is counted once, at both doors")
def counted(peer: Peer) -> None:
    own = inside(peer)

    def told(send: str) -> tuple[int, int]:
        before = own.room.counters.spans_accepted, own.room.counters.requests_refused
        for _ in range(2):
            peer.call("traces", good()) if send == "grpc" else peer.post(good())
        with own.full():
            peer.call("traces", good()) if send == "grpc" else peer.post(good())
        peer.call("traces", b"\xff") if send == "grpc" else peer.post(b"\xff")
        if send == "http":
            peer.post(good(), "text/plain")
        after = own.room.counters.spans_accepted, own.room.counters.requests_refused
        return after[0] - before[0], after[1] - before[1]

    assert told("grpc") == (2, 2)
    assert told("http") == (2, 3), "a form that is not read is not counted"


@row("C5", "O", "a request of 50,000 spans, more than the 4 MiB at which gRPC stops by default")
def large(peer: Peer) -> None:
    one = trace()
    body = otlp.traces(*(otlp.span(n, {"index": n}, trace=one, name="a step whose name has some length") for n in range(1, 50_001)))
    assert 4 * 2**20 < len(body) < peer.limit, f"{len(body)} bytes"
    assert peer.call("traces", body).code is Code.OK
    for name, pack in (("gzip", gzip.compress), ("zstd", zstandard.compress)):
        assert peer.post(pack(body), encoding=name).status == 200


@row("C6", "O", "the code in the Status of HTTP is the one of gRPC")
def same_codes(peer: Peer) -> None:
    own = inside(peer)

    def code(body: bytes, to: Peer = peer) -> tuple[int, int]:
        return to.call("traces", body).code.value[0], Status.FromString(to.post(body).body).code

    with own.full():
        assert code(good()) == (14, 14)
    assert code(b"\xff") == (3, 3)
    assert code(bytes(peer.limit + 1)) == (8, 8)
    with own.slow_sender() as slow:
        slow.token = "wrong"
        assert code(good(), slow) == (16, 16)


@row("C7", "O", "a port in use and TLS files that are not there end the start with words")
def starts(peer: Peer) -> None:
    if peer.inside is None:
        raise NotMeasuredError("needs a server of our own")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="cannot listen"):
            AsgiServer(None, "127.0.0.1", port, "x")
        with pytest.raises(OSError, match="cannot listen"):
            GrpcDoor(peer.inside.room._intake, "127.0.0.1", port, 1)
    with pytest.raises(DefinitionError, match="cannot use"):
        context(TlsSettings(cert_file="/nowhere/cert.pem", key_file="/nowhere/key.pem"))  # type: ignore[arg-type]
