"""Both doors over real sockets: what OTLP 1.11 asks of a server, answer by answer."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.ingest import otlp
from tests.ingest.conftest import Desk
from tests.ingest.doors import LIMIT_MIB, METHODS, PROTOBUF, RESPONSES, Doors, open_doors

from actorscope.ingest.otlp.asgi import AsgiServer
from actorscope.ingest.otlp.grpc import GrpcDoor
from actorscope.ingest.otlp.http import http_app

_GOOD = {"traces": otlp.traces(otlp.span(1)), "logs": otlp.logs(otlp.record())}
_GARBAGE = b"\xff\xff garbage"


@pytest.fixture
def doors(open_desk: Callable[..., Desk]) -> Iterator[Doors]:
    with open_doors(open_desk) as opened:
        yield opened


def _bodies(doors: Doors) -> list[bytes]:
    return [record.body for record in doors.desk.kept()]


@pytest.mark.parametrize("signal", ["traces", "logs"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_good_request_is_kept_and_answered_without_partial_success(
    doors: Doors, signal: str, compression: str
) -> None:
    packed = compression == "gzip"
    answer: Message = doors.call(
        signal, _GOOD[signal], grpc.Compression.Gzip if packed else grpc.Compression.NoCompression
    )
    assert not answer.HasField("partial_success")
    assert _bodies(doors) == [_GOOD[signal]]
    other = otlp.traces(otlp.span(2)) if signal == "traces" else otlp.logs(otlp.record("2"))
    encoding = {"content_encoding": "gzip"} if packed else {"content_encoding": "identity"}
    status, headers, body = doors.post(f"/v1/{signal}", gzip.compress(other) if packed else other, **encoding)
    assert (status, headers["content-type"]) == (200, PROTOBUF)
    assert not RESPONSES[signal].FromString(body).HasField("partial_success")
    assert _bodies(doors) == [_GOOD[signal], other]


def test_what_is_rejected_is_told_with_a_count_and_a_reason(doors: Doors) -> None:
    def body(n: int) -> bytes:
        return otlp.traces(
            otlp.span(n), otlp.span(3, trace_id=b""), otlp.span(4, span_id=b"x"), otlp.span(5, span_id=b"")
        )

    _, _, answer = doors.post("/v1/traces", body(2))
    for response in (doors.call("traces", body(1)), ExportTraceServiceResponse.FromString(answer)):
        assert response.partial_success.rejected_spans == 3
        assert "1 rejected: invalid trace id" in response.partial_success.error_message
        assert "2 rejected: invalid span id" in response.partial_success.error_message


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_an_empty_request_is_fine(doors: Doors, signal: str) -> None:
    assert not doors.call(signal, b"").HasField("partial_success")
    assert doors.post(f"/v1/{signal}", b"")[0] == 200
    assert doors.post(f"/v1/{signal}", b"", content_encoding="gzip")[0] == 200
    assert doors.post(f"/v1/{signal}", gzip.compress(b""), content_encoding="gzip")[0] == 200
    assert _bodies(doors) == []


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_garbage_is_refused_for_good(doors: Doors, signal: str) -> None:
    code, message, details = doors.refused(signal, _GARBAGE)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "cannot parse 10 bytes" in message
    assert details is not None and (details.code, details.message) == (3, message)
    status, headers, body = doors.post(f"/v1/{signal}", _GARBAGE)
    assert (status, headers["content-type"]) == (400, PROTOBUF)
    assert (Status.FromString(body).code, Status.FromString(body).message) == (3, message)
    assert "retry-after" not in headers


_PACKED = gzip.compress(_GOOD["traces"])
_CORRUPT = _PACKED[:12] + bytes(b ^ 0xFF for b in _PACKED[12:20]) + _PACKED[20:]


@pytest.mark.parametrize(
    "packed",
    [_CORRUPT, _GOOD["traces"], _PACKED[:-1], _PACKED[:-8], _PACKED[:30], _PACKED[:12], _PACKED[:10], _PACKED[:1],
     _PACKED + b"more", _PACKED[:-8] + bytes(8), _PACKED + _PACKED[:5]],
    ids=["corrupt", "plain", "cut", "no trailer", "half", "few", "head only", "one byte", "more after", "wrong sum", "2 cut"],
)  # fmt: skip
def test_gzip_that_cannot_be_read_to_its_end_is_refused(doors: Doors, packed: bytes) -> None:
    status, headers, body = doors.post("/v1/traces", packed, content_encoding="gzip")
    assert (status, headers["content-type"]) == (400, PROTOBUF)
    assert "gzip" in Status.FromString(body).message
    assert _bodies(doors) == []


def test_gzip_in_several_members_is_read_whole(doors: Doors) -> None:
    good = _GOOD["traces"]
    packed = gzip.compress(good[:20]) + gzip.compress(b"") + gzip.compress(good[20:])
    for chunks in ([packed], [packed[n : n + 1] for n in range(len(packed))]):
        assert doors.post("/v1/traces", iter(chunks), chunked=True, content_encoding="GZip",
                          transfer_encoding="chunked")[0] == 200  # fmt: skip
    assert _bodies(doors) == [good]


def _bomb(mib: int) -> Iterator[bytes]:
    """Zeros, a thousand times smaller."""
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(mib):
        yield packer.compress(bytes(2**20))
    yield packer.flush()


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(doors: Doors) -> None:
    small = b"".join(_bomb(500))
    assert len(small) < 600_000
    tracemalloc.start()
    try:
        status, headers, body = doors.post("/v1/traces", small, content_encoding="gzip")
        peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert (status, headers["content-type"]) == (413, PROTOBUF)
    assert Status.FromString(body).code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert peak_mib < 3 * LIMIT_MIB + len(small) / 2**20


def test_a_gzip_bomb_over_grpc_is_refused_for_good(doors: Doors) -> None:
    code, _, details = doors.refused("traces", bytes(100 * 2**20), compression=grpc.Compression.Gzip)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details is None or not details.details, "RetryInfo would make the sender try again"
    assert _bodies(doors) == []


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_endless_body_is_refused(doors: Doors, encoding: str) -> None:
    start = gzip.compress(b"") if encoding == "gzip" else b""
    piece = gzip.compress(b"") * 500 if encoding == "gzip" else bytes(2**16)

    def endless() -> Iterator[bytes]:
        yield start
        for _ in range(3 * LIMIT_MIB * 2**20 // len(piece)):
            yield piece

    try:
        status, _, _ = doors.post(
            "/v1/traces", endless(), chunked=True, content_encoding=encoding, transfer_encoding="chunked"
        )
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # the door closed while we were sending
    assert status == 413
    assert doors.desk.counters.spool_bytes == 0


def test_the_size_limit_itself_is_taken(doors: Doors) -> None:
    limit = LIMIT_MIB * 2**20
    frame = len(otlp.traces(otlp.span(1, {"a": "x" * (limit - 1000)}))) - (limit - 1000)

    def body(number: int, size: int) -> bytes:
        return otlp.traces(otlp.span(number, {"a": "x" * (size - frame)}))

    fits = [body(1, limit), body(2, limit)]
    assert {len(each) for each in fits} == {limit}
    assert not doors.call("traces", fits[0]).HasField("partial_success")
    assert doors.post("/v1/traces", fits[1])[0] == 200
    assert doors.refused("traces", body(3, limit + 1))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert doors.post("/v1/traces", body(3, limit + 1))[0] == 413
    assert doors.post("/v1/traces", gzip.compress(body(3, limit + 1)), content_encoding="gzip")[0] == 413
    assert _bodies(doors) == fits


@pytest.mark.parametrize(
    "content_type", ["application/x-protobuf; charset=utf-8", "Application/X-Protobuf", f" {PROTOBUF} "]
)
def test_the_content_type_may_have_parameters_and_any_case(doors: Doors, content_type: str) -> None:
    assert doors.post("/v1/traces", _GOOD["traces"], content_type=content_type)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [{"content_type": "text/plain"}, {"content_type": ""}, {"content_encoding": "br"}, {"content_encoding": "gzip, gzip"}],
)  # fmt: skip
def test_a_form_that_is_not_read_is_415(doors: Doors, headers: dict[str, str]) -> None:
    assert doors.post("/v1/traces", _GOOD["traces"], **headers)[0] == 415
    assert _bodies(doors) == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/traces", 405), ("PUT", "/v1/logs", 405), ("POST", "/v1development/profiles", 404), ("POST", "/", 404)],
)
def test_another_method_or_path_is_refused(doors: Doors, method: str, path: str, status: int) -> None:
    assert doors.post(path, b"", method=method)[0] == status


def test_over_budget_the_sender_is_told_when_to_come_back(doors: Doors) -> None:
    doors.desk.counters.add(spool_bytes=17 * 2**20)
    code, message, details = doors.refused("traces", _GOOD["traces"])
    assert (code, "17 MiB" in message) == (grpc.StatusCode.UNAVAILABLE, True)
    retry = RetryInfo()
    assert details is not None and details.code == 14 and details.details[0].Unpack(retry)
    assert retry.retry_delay.ToTimedelta().total_seconds() == 5
    status, headers, body = doors.post("/v1/traces", _GOOD["traces"])
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "5", PROTOBUF)
    assert Status.FromString(body).code == 14
    assert _bodies(doors) == []
    assert doors.desk.counters.requests_refused == 2


def test_while_closing_the_sender_is_told_to_come_back(doors: Doors) -> None:
    doors.desk.intake.close()
    assert doors.refused("traces", _GOOD["traces"])[0] is grpc.StatusCode.UNAVAILABLE
    assert doors.post("/v1/traces", _GOOD["traces"])[0] == 503


def test_a_bug_is_an_internal_error_and_the_door_stays_open(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(doors.desk.intake, "receive", broken)
        code, message, _ = doors.refused("traces", _GOOD["traces"])
        status, headers, body = doors.post("/v1/traces", _GOOD["traces"])
    assert (code, status, headers["content-type"]) == (grpc.StatusCode.INTERNAL, 500, PROTOBUF)
    assert "secret" not in message + Status.FromString(body).message
    assert not doors.call("traces", _GOOD["traces"]).HasField("partial_success")


def test_an_unknown_service_is_unimplemented(doors: Doors) -> None:
    assert doors.refused("profiles", b"")[0] is grpc.StatusCode.UNIMPLEMENTED


def test_64_calls_at_once_on_one_channel_and_64_posts(doors: Doors) -> None:
    bodies = [otlp.traces(otlp.span(n)) for n in range(1, 129)]
    with grpc.insecure_channel(f"127.0.0.1:{doors.grpc_port}") as channel:
        export = channel.unary_unary(METHODS["traces"])
        waiting = [export.future(body, timeout=30) for body in bodies[:64]]
        assert all(call.result() == b"" for call in waiting)
    with ThreadPoolExecutor(64) as pool:
        assert {answer[0] for answer in pool.map(lambda body: doors.post("/v1/traces", body), bodies[64:])} == {200}
    assert sorted(_bodies(doors)) == sorted(bodies)


def test_a_taken_port_is_said_at_once(doors: Doors) -> None:
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{doors.grpc_port} for OTLP/gRPC"):
        GrpcDoor(doors.desk.intake, "127.0.0.1", doors.grpc_port, 1)
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{doors.http_port} for x"):
        AsgiServer(http_app(doors.desk.intake, 1), "127.0.0.1", doors.http_port, "x")
