"""The gRPC door and HTTP/2 that no well-behaved client sends: over a real socket, frame by frame."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import cramjam
import grpc
import pytest
import zstandard
from google.rpc.error_details_pb2 import RetryInfo
from h2.errors import ErrorCodes
from hyperframe.frame import ContinuationFrame, HeadersFrame, RstStreamFrame, SettingsFrame
from tests.ingest import otlp
from tests.ingest.conftest import Desk, until
from tests.ingest.doors import LIMIT_MIB, METHODS, Doors, open_doors
from tests.otlp_conformance.frames import Frames, message

from actorscope.ingest.otlp import http2
from actorscope.ingest.otlp.grpc import GrpcDoor

_TRACES = METHODS["traces"]
_GOOD = otlp.traces(otlp.span(1))
Code = grpc.StatusCode


@pytest.fixture
def doors(open_desk: Callable[..., Desk]) -> Iterator[Doors]:
    with open_doors(open_desk) as opened:
        yield opened
        until(lambda: opened.desk.intake.budget.used == 0, 5)  # whatever happened, nothing is held for ever


@pytest.fixture
def wire(doors: Doors) -> Iterator[Frames]:
    with Frames(f"127.0.0.1:{doors.grpc_port}") as opened:
        yield opened


def _code(wire: Frames, data: bytes, path: str = _TRACES, **headers: str) -> tuple[Code, str]:
    number = wire.open(path, **headers)
    wire.send(number, data)
    heard = wire.heard(number)
    assert heard.headers["grpc-accept-encoding"] == "identity,gzip,deflate,zstd,snappy"
    [code] = [known for known in Code if known.value[0] == heard.code]
    return code, heard.headers.get("grpc-message", "")


def _snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(body))


@pytest.mark.parametrize(
    ("name", "pack"),
    [("identity", bytes), ("gzip", gzip.compress), ("zstd", zstandard.compress), ("snappy", _snappy)],
)  # fmt: skip
def test_every_compression_is_read_and_its_damage_and_its_bombs_are_refused(
    doors: Doors, wire: Frames, name: str, pack: Callable[[bytes], bytes]
) -> None:
    assert _code(wire, message(pack(_GOOD), name != "identity"), grpc_encoding=name)[0] is Code.OK
    assert _code(wire, message(_GOOD), grpc_encoding=name)[0] is Code.OK  # each message says for itself
    assert [record.body for record in doors.desk.kept()] == [_GOOD]
    if name != "identity":
        bomb = pack(bytes(2**24))
        assert len(bomb) < LIMIT_MIB * 2**20
        assert _code(wire, message(bomb, True), grpc_encoding=name)[0] is Code.RESOURCE_EXHAUSTED
        code, said = _code(wire, message(pack(_GOOD)[:-3], True), grpc_encoding=name)
        assert code is Code.INVALID_ARGUMENT and name in said


@pytest.mark.parametrize(
    ("data", "headers", "code", "says"),
    [
        (b"", {}, Code.UNIMPLEMENTED, "no message"),
        (message(_GOOD) * 2, {}, Code.UNIMPLEMENTED, "more than one"),
        (message(_GOOD)[:-1], {}, Code.INTERNAL, "too early"),
        (b"\0\0\0", {}, Code.INTERNAL, "too early"),
        (message(_GOOD, True), {}, Code.INTERNAL, "without grpc-encoding"),
        (b"\2" + message(_GOOD)[1:], {}, Code.INTERNAL, "not 2"),
        (message(_GOOD, True), {"grpc_encoding": "br"}, Code.UNIMPLEMENTED, "use one of identity, gzip"),
        (message(b"\xff"), {}, Code.INVALID_ARGUMENT, "cannot parse"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(doors: Doors, wire: Frames, data: bytes, headers: dict[str, str], code: Code, says: str) -> None:
    found, said = _code(wire, data, **headers)
    assert found is code and says in said
    assert doors.desk.counters.requests_refused == 1
    assert _code(wire, message(_GOOD))[0] is Code.OK  # the connection lives on


def test_another_method_path_and_content_type_are_no_grpc(doors: Doors, wire: Frames) -> None:
    assert _code(wire, message(b""), "/x/Export")[0] is Code.UNIMPLEMENTED
    for changed, status in (({"content-type": "text/plain"}, "415"), ({":method": "GET"}, "405"), ({":path": ""}, "200"), ({}, "200")):
        given = {":method": "POST", ":scheme": "http", ":path": _TRACES, "content-type": "application/grpc+proto", **changed}
        number = wire.begin([*given.items()])
        wire.send(number, message(_GOOD))
        assert wire.heard(number).headers[":status"] == status
    assert len(doors.desk.kept()) == 1


def test_what_is_too_long_is_refused_before_it_is_read(doors: Doors, wire: Frames) -> None:
    number = wire.open(_TRACES)
    wire.send(number, (LIMIT_MIB * 2**20 + 1).to_bytes(5, "big"), ends=False)
    assert wire.heard(number).code == Code.RESOURCE_EXHAUSTED.value[0]
    for _ in range(20):  # what is under way still does not stop the connection
        number = wire.open(_TRACES)
        wire.send(number, (LIMIT_MIB * 2**20 + 1).to_bytes(5, "big") + bytes(2**18), ends=False)
    assert _code(wire, message(_GOOD))[0] is Code.OK
    assert doors.desk.counters.counts()["refused.too_large"] == 21


def test_without_room_the_sender_is_told_when_to_come_again(doors: Doors, wire: Frames) -> None:
    doors.desk.counters.add(spool_bytes=2**40)
    number = wire.open(_TRACES)
    wire.send(number, message(_GOOD))
    heard = wire.heard(number)
    assert heard.code == Code.UNAVAILABLE.value[0]
    packed = heard.headers["google.rpc.retryinfo-bin"]
    assert "=" not in packed and "=" not in heard.headers["grpc-status-details-bin"]
    retry = RetryInfo.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    assert retry.retry_delay.ToTimedelta().total_seconds() == 5


def test_bodies_that_come_in_are_counted_and_what_has_no_room_is_refused(open_desk: Callable[..., Desk]) -> None:
    with open_doors(open_desk, max_in_flight_mib=1) as doors, Frames(f"127.0.0.1:{doors.grpc_port}") as wire:
        first, second = wire.open(_TRACES), wire.open(_TRACES)
        wire.send(first, message(bytes(2**20))[: 700 * 2**10], ends=False)
        until(lambda: doors.desk.intake.budget.used > 700 * 2**10)
        wire.send(second, message(bytes(2**20))[: 700 * 2**10], ends=False)
        assert wire.heard(second).code == Code.UNAVAILABLE.value[0]
        wire.reset(first)
        until(lambda: doors.desk.intake.budget.used == 0)
        assert doors.desk.counters.counts()["refused.disconnected"] == 1
        assert _code(wire, message(_GOOD))[0] is Code.OK


@pytest.fixture
def busy(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """All threads of the door wait for the log until the event is set."""
    real, goes_on = doors.desk.intake.receive, threading.Event()

    def slow(*given: Any) -> Any:
        assert goes_on.wait(20)
        return real(*given)

    monkeypatch.setattr(doors.desk.intake, "receive", slow)
    monkeypatch.setattr("actorscope.ingest.otlp.listener._THREADS", 1)
    yield goes_on
    goes_on.set()


@pytest.mark.parametrize("how", ["reset", "gone", "deadline"])
def test_nothing_is_begun_for_who_waits_no_more(doors: Doors, busy: threading.Event, how: str) -> None:
    door = GrpcDoor(doors.desk.intake, "127.0.0.1", 0, LIMIT_MIB)
    door.start()
    counts = doors.desk.counters.counts
    try:
        with Frames(f"127.0.0.1:{door.port}") as first, Frames(f"127.0.0.1:{door.port}") as wire:
            before = first.open(_TRACES)
            first.send(before, message(otlp.traces(otlp.span(7))))
            time.sleep(0.1)
            number = wire.open(_TRACES, **({"grpc_timeout": "50m"} if how == "deadline" else {}))
            wire.send(number, message(_GOOD))
            wire.ping()  # it has been read
            time.sleep(0.1)
            if how == "gone":
                wire.close()
            if how == "reset":
                wire.reset(number)
            if how != "deadline":
                until(lambda: counts().get("refused.disconnected") == 1)
            busy.set()
            assert first.heard(before).code == 0
            if how == "deadline":
                assert wire.heard(number).code == Code.DEADLINE_EXCEEDED.value[0]
        assert counts()["refused.disconnected"] == 1 and len(doors.desk.kept()) == 1
    finally:
        door.stop(0)


@pytest.mark.parametrize("grace", [5.0, 0.1])
def test_a_stop_answers_what_is_under_way_and_sends_away_what_comes_late(doors: Doors, busy: threading.Event, grace: float) -> None:
    door = GrpcDoor(doors.desk.intake, "127.0.0.1", 0, LIMIT_MIB)
    door.start()
    with Frames(f"127.0.0.1:{door.port}") as wire:
        number = wire.open(_TRACES)
        wire.send(number, message(_GOOD))
        wire.ping()
        stopping = threading.Thread(target=door.stop, args=(grace,))
        stopping.start()
        until(lambda: wire.goodbye() is not None)
        late = wire.open(_TRACES)
        assert wire.heard(late).reset == ErrorCodes.REFUSED_STREAM
        if grace > 1:
            busy.set()
        assert wire.heard(number).code == (0 if grace > 1 else Code.UNAVAILABLE.value[0])
        stopping.join()
        busy.set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", door.port))


def test_an_answer_waits_for_the_window_of_the_peer(doors: Doors, wire: Frames) -> None:
    wire.settle(initial_window=3)
    number = wire.open(_TRACES)
    wire.send(number, message(otlp.traces(otlp.span(1), otlp.span(2, trace_id=b""))))
    answer = wire.heard(number)
    assert answer.code == 0 and b"invalid trace id" in answer.data


def test_a_goodbye_of_the_client_does_not_cost_it_the_answers_it_waits_for(doors: Doors, wire: Frames) -> None:
    number = wire.open(_TRACES)
    wire.send(number, message(_GOOD)[:8], ends=False)
    wire.raw(b"\0\0\x08\x07\0\0\0\0\0" + bytes(8))
    wire.send(number, message(_GOOD)[8:])
    assert wire.heard(number).code == 0 and len(doors.desk.kept()) == 1


def _resets(wire: Frames) -> None:
    for _ in range(http2._MOST_RESETS + 100):
        number = wire.open(_TRACES)
        wire.reset(number)


def _endless_headers(wire: Frames) -> None:
    wire.raw(HeadersFrame(1, b"\0").serialize())
    for _ in range(60):
        wire.raw(ContinuationFrame(1, bytes(2**14)).serialize())


def _long_headers(wire: Frames) -> None:
    wire.open(_TRACES, **{f"x{n}": "y" * 1000 for n in range(20)})


@pytest.mark.parametrize("attack", [_resets, _endless_headers, _long_headers])
def test_who_costs_too_much_is_sent_away(doors: Doors, wire: Frames, attack: Callable[[Frames], None]) -> None:
    try:
        attack(wire)
        until(lambda: wire.goodbye() is not None, 10)
        assert wire.goodbye() == ErrorCodes.ENHANCE_YOUR_CALM
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was
    with Frames(f"127.0.0.1:{doors.grpc_port}") as other:
        assert _code(other, message(_GOOD))[0] is Code.OK


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", SettingsFrame(0).serialize(), RstStreamFrame(1).serialize()])
def test_what_is_no_http2_is_closed(doors: Doors, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", doors.grpc_port), timeout=5) as bare:
        bare.sendall(data)
        with suppress(ConnectionResetError):
            while bare.recv(2**16):
                pass


def test_what_does_not_move_is_given_up(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actorscope.ingest.otlp.listener._LOOK_SECONDS", 0.05)
    monkeypatch.setattr(http2, "_STUCK_SECONDS", 0.2)
    monkeypatch.setattr(http2, "_QUIET_SECONDS", 0.4)
    monkeypatch.setattr(http2, "_PATIENCE_SECONDS", 0.2)
    door = GrpcDoor(doors.desk.intake, "127.0.0.1", 0, LIMIT_MIB)
    door.start()
    try:
        with Frames(f"127.0.0.1:{door.port}") as wire, socket.create_connection(("127.0.0.1", door.port), timeout=5) as silent:
            number = wire.open(_TRACES)
            wire.send(number, message(_GOOD)[:8], ends=False)
            assert wire.heard(number).reset == ErrorCodes.CANCEL
            wire.listen_for(1.0)  # the library answers pings
            assert _code(wire, message(_GOOD))[0] is Code.OK
            while silent.recv(2**16):  # until it is closed
                pass
    finally:
        door.stop(0)


def test_ipv6_and_a_connection_too_many(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actorscope.ingest.otlp.listener._CONNECTIONS", 1)
    try:
        door = GrpcDoor(doors.desk.intake, "::1", 0, LIMIT_MIB)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    door.start()
    try:
        with Frames(f"[::1]:{door.port}") as wire:
            assert _code(wire, message(_GOOD))[0] is Code.OK
            with pytest.raises((ConnectionError, AssertionError)), Frames(f"[::1]:{door.port}") as second:
                second.ping()
                assert not second.ended
            assert _code(wire, message(_GOOD))[0] is Code.OK
    finally:
        door.stop(0)
