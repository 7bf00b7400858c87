"""Rows H1 to H16: OTLP over HTTP."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import zstandard
from google.rpc.error_details_pb2 import BadRequest
from tests.ingest import otlp
from tests.ingest.doors import PROTOBUF
from tests.otlp_conformance.grpc import GARBAGE, inside, points
from tests.otlp_conformance.inside import ORIGIN
from tests.otlp_conformance.json import document
from tests.otlp_conformance.peer import JSON, Peer, Reply, detail, good, sized, spoilt, trace
from tests.otlp_conformance.rows import row

from actorscope.settings import IngestSettings

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress,
}  # fmt: skip


def accepted(reply: Reply) -> None:
    assert reply.status == 200, f"{reply.status}: {reply.body[:100]!r}"
    assert not reply.read().HasField("partial_success"), "partial_success is set"


def refused(reply: Reply, status: int, kind: str = "") -> None:
    """Refused with this status and a google.rpc.Status that says why, in the encoding of the request."""
    assert reply.status == status, f"{reply.status} instead of {status}: {reply.body[:100]!r}"
    assert not kind or reply.kind == kind, f"answered as {reply.kind or 'nothing'} instead of {kind}"
    assert reply.read().message, "no message"


def json_body(number: int = 0) -> bytes:
    return json.dumps(document(number or trace())).encode()


@row("H1", "M", "POST /v1/traces takes protobuf; /v1/logs and /v1/metrics answer too")
def paths(peer: Peer) -> str:
    accepted(peer.post(good()))
    logs, metrics = peer.post(otlp.logs(otlp.record()), path="/v1/logs"), peer.post(points(2), path="/v1/metrics")
    assert {logs.status, metrics.status} <= {200, 404}
    if peer.inside:
        assert metrics.read("metrics").partial_success.rejected_data_points == 2
    return "metrics: 200 with every data point rejected and the reason" if metrics.status == 200 else "metrics: 404"


@row("H2", "S", "JSON on the same port, told apart by Content-Type in any case and with parameters")
def content_types(peer: Peer) -> None:
    for kind in (JSON, f"{JSON}; charset=utf-8", "Application/JSON"):
        accepted(peer.post(json_body(), kind))
    for kind in (f"{PROTOBUF}; charset=utf-8", "Application/X-Protobuf"):
        accepted(peer.post(good(), kind))


@row("H3", "M", "the answer has the encoding of the request, errors too")
def same_encoding(peer: Peer) -> None:
    for kind, body in ((PROTOBUF, good()), (JSON, json_body())):
        assert peer.post(body, kind).kind == kind
        refused(peer.post(b"\xff\xff", kind), 400, kind)
        refused(peer.post(b"junk", kind, "gzip"), 400, kind)
        refused(peer.post(bytes(peer.limit + 1), kind), 413, kind)
        if peer.inside:
            with peer.inside.full():
                refused(peer.post(json_body() if kind == JSON else good(), kind), 503, kind)


@row("H4", "M", "success is 200 with the serialised response")
def success(peer: Peer) -> str:
    accepted(peer.post(good()))
    reply = peer.post(json_body(), JSON)
    accepted(reply)
    assert isinstance(json.loads(reply.body), dict)
    return "JSON: {}" if json.loads(reply.body) == {} else ""


@row("H5", "M", "gzip is taken (deflate and zstd may be); damaged data is 400")
def encodings(peer: Peer) -> str:
    accepted(peer.post(gzip.compress(good()), encoding="gzip"))
    half = good()
    accepted(peer.post(gzip.compress(half[:9]) + gzip.compress(half[9:]), encoding="gzip"))
    for damaged in (b"junk", gzip.compress(half)[:-9], gzip.compress(half)[:12] + bytes(30)):
        refused(peer.post(damaged, encoding="gzip"), 400)
    also = []
    for name in ("deflate", "zstd"):
        reply = peer.post(PACK[name](good()), encoding=name)
        if reply.status == 200:
            refused(peer.post(b"\xffjunk", encoding=name), 400)
            also.append(name)
        else:
            refused(reply, 415)
    return "also: " + ", ".join(also) if also else "gzip only"


@row("H6", "M", "a body over the limit is 413, before and after decompression")
def limit(peer: Peer) -> str:
    accepted(peer.post(sized(peer.limit)))
    refused(peer.post(sized(peer.limit + 1)), 413)
    refused(peer.post(gzip.compress(sized(peer.limit + 1), 1), encoding="gzip"), 413)
    bomb = b"".join(gzip.compress(bytes(2**20)) for _ in range(100))
    refused(peer.post(bomb, encoding="gzip"), 413)
    with peer.wire() as wire:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {peer.limit + 1}\r\n\r\n"
        wire.sendall(head.encode())
        assert b" 413 " in wire.recv(2000), "the length told beforehand is not looked at"
    if peer.inside:
        assert IngestSettings().max_request_mib == 64
    return "at the limit, one byte above plain and in gzip, a bomb, a Content-Length alone"


@row("H7", "M", "every refusal carries a google.rpc.Status with a message")
def statuses(peer: Peer) -> None:
    refused(peer.post(b"\xff"), 400)
    refused(peer.post(good(), path="/v1/nothing"), 404)
    refused(peer.post(b"", method="PUT"), 405)
    refused(peer.post(bytes(peer.limit + 1)), 413)
    refused(peer.post(good(), "text/plain"), 415)
    refused(peer.post(good(), encoding="lz4"), 415)
    if peer.inside:
        with peer.inside.full():
            refused(peer.post(good()), 503)
        with peer.inside.slow_sender() as slow:
            slow.token = "wrong"
            refused(slow.post(good()), 401)


@row("H8", "M", "bad data is 400 with a BadRequest detail")
def bad_data(peer: Peer) -> None:
    for body in GARBAGE:
        reply = peer.post(body)
        refused(reply, 400)
        assert detail(reply.read(), BadRequest) is not None, "no BadRequest detail"
    refused(peer.post(b"{", JSON), 400)
    refused(peer.post(b"[]", JSON), 400)


@row("H9", "S", "overload is 429 or 503 and says when to come back")
def overload(peer: Peer) -> str:
    own = inside(peer)
    with own.full():
        reply = peer.post(good())
    refused(reply, 503)
    assert int(reply.headers["retry-after"]) >= 1
    with own.slow_sender() as slow:
        replies = [slow.post(good()) for _ in range(3)]
    over = [reply for reply in replies if reply.status != 200]
    assert over and all(reply.status == 429 and int(reply.headers["retry-after"]) >= 1 for reply in over)
    return "503 when the log is full, 429 for a sender over its rate, both with Retry-After in seconds"


@row("H10", "M", "429, 502, 503 and 504 are kept for what can succeed later")
def permanent(peer: Peer) -> None:
    replies = [
        peer.post(b"\xff"), peer.post(bytes(peer.limit + 1)), peer.post(good(), "text/plain"),
        peer.post(b"x", encoding="gzip"), peer.post(b"", method="GET"), peer.post(b"", path="/v1/nothing"),
    ]  # fmt: skip
    for reply in replies:
        assert 400 <= reply.status < 500 and reply.status != 429, str(reply.status)
        assert "retry-after" not in reply.headers


@row("H11", "S", "an empty request is 200")
def empty(peer: Peer) -> None:
    for path in ("/v1/traces", "/v1/logs"):
        for body, kind in ((b"", PROTOBUF), (b"\x0a\x00", PROTOBUF), (b"\x0a\x02\x12\x00", PROTOBUF), (b"{}", JSON)):
            accepted(peer.post(body, kind, path=path))


@row("H12", "M", "partial success and warnings are 200, as over gRPC")
def partial(peer: Peer) -> None:
    reply = peer.post(spoilt(3))
    assert reply.status == 200 and reply.read().partial_success.rejected_spans == 3
    assert reply.read().partial_success.error_message
    wrong = document(trace())
    wrong["resourceSpans"][0]["scopeSpans"][0]["spans"].append({"traceId": "", "spanId": "00"})
    reply = peer.post(json.dumps(wrong).encode(), JSON)
    assert reply.status == 200 and reply.read().partial_success.rejected_spans == 1


@row("H13", "O", "an unknown Content-Type is 415, another method 405 with Allow")
def forms(peer: Peer) -> None:
    for kind in ("text/plain", "", "application/grpc"):
        assert peer.post(good(), kind).status == 415, kind or "none"
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        reply = peer.post(b"", method=method)
        assert (reply.status, reply.headers.get("allow")) == (405, "POST"), f"{method}: {reply.status}"


@row("H14", "S", "connections live on, take requests one behind the other, and many are open at once")
def connections(peer: Peer) -> str:
    def request(body: bytes) -> bytes:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    with peer.wire() as wire:
        for pipelined in (1, 5):
            wire.sendall(b"".join(request(good()) for _ in range(pipelined)))
            heard = b""
            while heard.count(b"HTTP/1.1 200") < pipelined:
                got = wire.recv(65536)
                assert got, "the connection was closed"
                heard += got
    with ThreadPoolExecutor(32) as pool:
        assert {reply.status for reply in pool.map(lambda _: peer.post(good()), range(64))} == {200}
    return "6 requests on one connection, 5 of them at once; 32 connections"


@row("H15", "M", "answers have at most 4 MiB")
def short_answers(peer: Peer) -> None:
    reply = peer.post(spoilt(20_000))
    assert reply.status == 200 and reply.read().partial_success.rejected_spans == 20_000
    assert len(reply.body) <= 4 * 2**20


@row("H16", "O", "chunked bodies, gzip answers for those who ask, port 4318, browsers of named origins")
def extras(peer: Peer) -> str:
    body = good()
    accepted(peer.post(iter([body[:9], body[9:]]), transfer_encoding="chunked"))
    notes = ["chunked bodies"]
    long = peer.post(good(), encoding="x" * 1500, accept_encoding="gzip")
    if long.headers.get("content-encoding") == "gzip":
        assert gzip.decompress(long.body)
        notes.append("gzip answers from 1,000 bytes on")
    asked = {"origin": ORIGIN, "access_control_request_method": "POST", "access_control_request_headers": "content-type"}
    flight = peer.post(b"", "", method="OPTIONS", **asked)
    if peer.inside:
        assert flight.status == 200 and flight.headers["access-control-allow-origin"] == ORIGIN
        other = peer.post(b"", "", method="OPTIONS", **{**asked, "origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in other.headers
        assert IngestSettings().http_port == 4318 and IngestSettings().cors_origins == []
        assert len(notes) == 2, "a long answer is not packed"
        notes += ["CORS for the origins of `ingest.cors_origins` only", "the port is 4318 by default"]
    return ", ".join(notes)
