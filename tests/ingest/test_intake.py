"""The intake: durable before it is acknowledged, kept once, refused in words a sender understands."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.ingest import otlp
from tests.ingest.conftest import Desk, until

from actorscope.errors import Reject, TransientError
from actorscope.ingest.decode import UndecodableError
from actorscope.ingest.intake import Receipt, TooLargeError
from actorscope.ingest.spool import read

OpenDesk = Callable[..., Desk]
_BODIES = [otlp.traces(otlp.span(n)) for n in range(1, 65)]
_SLOW = {"segment_busy_seconds": 60, "segment_idle_seconds": 60}


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(**_SLOW)


class _Gate:
    """Holds the forcing to disk until it is opened, and counts it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached, self.count = threading.Event(), threading.Event(), 0
        real = os.fdatasync

        def held(fd: int) -> None:
            self.count += 1
            self.reached.set()
            assert self.open.wait(20)
            real(fd)

        monkeypatch.setattr(os, "fdatasync", held)


def test_a_request_is_on_disk_before_it_is_acknowledged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = _Gate(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(desk.intake.receive, "traces", _BODIES[0])
        assert gate.reached.wait(20)
        time.sleep(0.05)
        assert not answer.done()
        gate.open.set()
        assert answer.result(20) == Receipt(1, ())
    assert [(r.signal, r.body) for r in desk.kept()] == [("traces", _BODIES[0])]


def test_each_of_many_senders_finds_its_request_in_the_log(desk: Desk) -> None:
    def send(body: bytes) -> bool:
        desk.intake.receive("traces", body)
        return body in [record.body for record in desk.kept()]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(send, _BODIES))
    assert sorted(r.body for r in desk.kept()) == sorted(_BODIES)
    assert desk.counters.spans_accepted == len(_BODIES)
    assert desk.counters.spool_bytes == desk.spool.bytes_on_disk()


def test_those_who_wait_share_one_sync(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = _Gate(monkeypatch)
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(desk.intake.receive, "traces", _BODIES[0])]
        assert gate.reached.wait(20)
        answers += [pool.submit(desk.intake.receive, "traces", body) for body in _BODIES[1:20]]
        until(lambda: desk.intake._queue.qsize() == 19)
        gate.open.set()
        for answer in answers:
            answer.result(20)
    assert gate.count == 2


def test_a_request_sent_again_is_acknowledged_and_not_kept_twice(desk: Desk) -> None:
    body, log = _BODIES[0], otlp.logs(otlp.record())
    for _ in range(3):
        assert desk.intake.receive("traces", body).accepted == 1
        assert desk.intake.receive("logs", log).accepted == 1
    assert [r.body for r in desk.kept()] == [body, log]
    counted = desk.counters
    assert (counted.spans_accepted, counted.spans_duplicate) == (1, 2)
    assert (counted.logs_accepted, counted.logs_duplicate) == (1, 2)


def test_copies_sent_at_once_are_kept_once_and_wait_for_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = _Gate(monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(desk.intake.receive, "traces", _BODIES[0]) for _ in range(8)]
        assert gate.reached.wait(20)
        time.sleep(0.05)
        assert not any(answer.done() for answer in answers)
        gate.open.set()
        assert {answer.result(20).accepted for answer in answers} == {1}
    assert len(desk.kept()) == 1
    assert (desk.counters.spans_accepted, desk.counters.spans_duplicate) == (1, 7)


def test_a_request_is_recognised_after_a_restart(open_desk: OpenDesk) -> None:
    first = open_desk(**_SLOW)
    first.intake.receive("traces", _BODIES[0])
    first.intake.close()
    second = open_desk(**_SLOW)
    second.intake.remember([record.digest for record in first.kept()])
    assert second.intake.receive("traces", _BODIES[0]).accepted == 1
    second.intake.receive("traces", _BODIES[1])
    assert [r.body for r in second.kept()] == [_BODIES[0], _BODIES[1]]
    assert second.counters.spans_duplicate == 1


def test_the_oldest_requests_are_forgotten_first(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actorscope.ingest.intake._REMEMBERED", 2)
    desk = open_desk(**_SLOW)
    for body in _BODIES[:3]:
        desk.intake.receive("traces", body)
    desk.intake.receive("traces", _BODIES[2])
    assert (len(desk.kept()), desk.counters.spans_duplicate) == (3, 1)
    desk.intake.receive("traces", _BODIES[0])
    assert len(desk.kept()) == 4


def test_over_budget_is_refused_and_nothing_kept(open_desk: OpenDesk) -> None:
    desk = open_desk(spool_budget_mib=16, **_SLOW)
    desk.intake.receive("traces", _BODIES[0])
    desk.counters.add(spool_bytes=16 * 2**20)
    mixed = otlp.traces(otlp.span(90), otlp.span(91, trace_id=b"short"))
    with pytest.raises(TransientError, match="16 MiB") as caught:
        desk.intake.receive("traces", mixed)
    assert caught.value.retry_after_seconds >= 1
    assert desk.intake.receive("traces", _BODIES[0]).accepted == 1, "what is kept already needs no room"
    assert (len(desk.kept()), desk.counters.spans_rejected) == (1, 0)
    desk.counters.add(spool_bytes=-16 * 2**20)
    assert desk.intake.receive("traces", mixed).rejected == 1
    assert (len(desk.kept()), desk.counters.spans_rejected) == (2, 1)


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_after_a_disk_error_the_same_request_works(desk: Desk, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        for _ in range(2):
            with pytest.raises(TransientError, match="No space left"):
                desk.intake.receive("traces", _BODIES[0])
    assert desk.kept() == []
    assert desk.counters.spool_bytes == 0
    assert desk.intake.receive("traces", _BODIES[0]).accepted == 1
    assert [r.body for r in desk.kept()] == [_BODIES[0]]


def test_after_a_failed_sync_another_segment_is_used_and_what_was_safe_is_handed_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    desk.intake.receive("traces", _BODIES[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        for _ in range(3):
            with pytest.raises(TransientError, match="Input/output"):
                desk.intake.receive("traces", _BODIES[1])
    assert desk.intake.receive("traces", _BODIES[1]).accepted == 1
    assert len(desk.closed) == 1, "segments in which nothing was safe are handed to nobody"
    assert [r.body for r in read(desk.closed[0])] == [_BODIES[0]]
    assert [r.body for r in desk.kept()] == _BODIES[:2]
    assert desk.counters.spool_bytes == desk.spool.bytes_on_disk()


def test_a_clock_that_jumps_back_neither_stops_the_log_nor_reorders_it(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(segment_mib=1e-5, **_SLOW)
    desk.intake.receive("traces", _BODIES[0])
    with monkeypatch.context() as patch:
        patch.setattr("actorscope.ingest.intake.time.time_ns", lambda: 10**18)
        desk.intake.receive("traces", _BODIES[1])
    desk.intake.receive("traces", _BODIES[2])
    until(lambda: len(desk.closed) == 3)
    assert desk.closed == sorted(desk.closed), "names of segments do not follow the clock"
    assert [r.body for r in desk.kept()] == _BODIES[:3]
    assert desk.kept()[1].received_at == 10**18


def test_a_half_written_record_hides_nothing_that_is_acknowledged_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real(fd, data[:20]) and full())
        patch.setattr(os, "ftruncate", full)
        with pytest.raises(TransientError):
            desk.intake.receive("traces", _BODIES[0])
    desk.intake.receive("traces", _BODIES[0])
    assert [r.body for r in desk.kept()] == [_BODIES[0]]
    assert desk.counters.spool_bytes == desk.spool.bytes_on_disk()


def test_a_segment_that_cannot_be_begun_stops_nobody(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actorscope.ingest.intake._PAUSE_SECONDS", 0.1)
    desk = open_desk(segment_mib=1e-5, **_SLOW)

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(desk.spool, "open_segment", full)
        for body in _BODIES[:3]:
            assert desk.intake.receive("traces", body).accepted == 1
    assert desk.closed == []
    until(lambda: desk.closed)
    assert sorted(r.body for r in desk.kept()) == sorted(_BODIES[:3])


def test_closing_answers_what_is_in_flight_and_refuses_the_rest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = _Gate(monkeypatch)
    with ThreadPoolExecutor(10) as pool:
        answers: list[Future[Receipt]] = [pool.submit(desk.intake.receive, "traces", _BODIES[0])]
        assert gate.reached.wait(20)
        answers += [pool.submit(desk.intake.receive, "traces", body) for body in _BODIES[1:8]]
        until(lambda: desk.intake._queue.qsize() == 7)
        closing = threading.Thread(target=desk.intake.close)
        closing.start()
        until(lambda: desk.intake._closed)
        with pytest.raises(TransientError, match="shutting down"):
            desk.intake.receive("traces", _BODIES[20])
        gate.open.set()
        assert [answer.result(20).accepted for answer in answers] == [1] * 8
        closing.join(20)
    assert sorted(r.body for r in desk.kept()) == sorted(_BODIES[:8])
    assert len(desk.closed) == 1, "the last segment is handed over"
    monkeypatch.undo()


def test_segments_are_handed_over_in_order_when_full_or_old(open_desk: OpenDesk) -> None:
    by_size = open_desk(segment_mib=1e-5, **_SLOW)
    for body in _BODIES[:5]:
        by_size.intake.receive("traces", body)
    until(lambda: len(by_size.closed) == 5)
    assert by_size.closed == sorted(by_size.closed)
    by_size.intake.close()
    by_age = open_desk(segment_idle_seconds=0.1, segment_busy_seconds=0.05)
    by_age.intake.receive("traces", _BODIES[5])
    assert by_age.closed == []
    until(lambda: len(by_age.closed) == 1)


def test_a_request_over_the_size_limit_is_refused_for_good(open_desk: OpenDesk) -> None:
    desk = open_desk(max_request_mib=1, **_SLOW)
    frame = len(otlp.traces(otlp.span(1, {"a": "x" * 2**19}))) - 2**19
    fits = otlp.traces(otlp.span(1, {"a": "x" * (2**20 - frame - 8)}))
    assert 2**20 - 16 < len(fits) <= 2**20
    assert desk.intake.receive("traces", fits).accepted == 1
    with pytest.raises(TooLargeError, match="limit of 1 MiB"):
        desk.intake.receive("traces", fits + bytes(17))
    assert len(desk.kept()) == 1


def test_bad_spans_are_counted_and_the_rest_is_kept(desk: Desk) -> None:
    body = otlp.traces(
        otlp.span(1), otlp.span(2, trace_id=b""), otlp.span(3, trace_id=bytes(16)), otlp.span(4, span_id=b"1")
    )
    receipt = desk.intake.receive("traces", body)
    assert (receipt.accepted, receipt.rejected) == (1, 3)
    assert set(receipt.rejects) == {Reject("invalid_trace_id", 2), Reject("invalid_span_id", 1)}
    assert receipt.message == "2 rejected: invalid trace id; 1 rejected: invalid span id"
    assert (desk.counters.spans_accepted, desk.counters.spans_rejected) == (1, 3)
    desk.intake.receive("traces", body)
    assert desk.counters.spans_rejected == 3, "they were counted when they came first"


def test_a_request_without_usable_records_is_not_kept(desk: Desk) -> None:
    assert desk.intake.receive("traces", b"") == Receipt(0, ())
    assert desk.intake.receive("traces", otlp.traces(otlp.span(1, span_id=b""))).rejected == 1
    assert (desk.kept(), desk.counters.spans_rejected) == ([], 1)


def test_bytes_that_are_no_otlp_are_refused(desk: Desk) -> None:
    with pytest.raises(UndecodableError, match="cannot parse 7 bytes as an OTLP traces request"):
        desk.intake.receive("traces", b"garbage")
    assert desk.kept() == []
