"""From log to store: exactly once, whatever is repeated; late is visible; one bad request does not stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.ingest import otlp
from tests.ingest.conftest import until

from actorscope.errors import PermanentError, TransientError
from actorscope.ingest import writer as writing
from actorscope.ingest.counters import Counters
from actorscope.ingest.room import Ingest
from actorscope.ingest.spool import Record, Spool, record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import Writer, span_rows
from actorscope.settings import IngestSettings, Settings

_DAY = 86_400 * 10**9
_POISON = b"\xff\xff poison"


def _log(root: Path, *bodies: tuple[str, bytes]) -> tuple[Spool, Path]:
    """A spool with one closed segment of these requests."""
    spool = Spool(root)
    segment = spool.open_segment()
    segment.append([record_of(signal, body) for signal, body in bodies])
    segment.close()
    spool.open_segment().close()
    return Spool(root), segment.path


def _traces(*numbers: int) -> tuple[str, bytes]:
    return "traces", otlp.traces(*(otlp.span(n, {"gen_ai.operation.name": "chat"}) for n in numbers))


@contextmanager
def _writing(store: Any, spool: Spool) -> Iterator[tuple[Writer, Counters]]:
    counters = Counters()
    writer = Writer(store, spool, counters)
    writer.start()
    try:
        yield writer, counters
    finally:
        writer.close()


def _run(store: Any, spool: Spool) -> Counters:
    with _writing(store, spool) as (_, counters):
        return counters


def _rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All that the writer has written, as it lies there (no FINAL: copies would show)."""
    asked = {
        "span_rows": "SELECT seq, hex(span_id), operation FROM span_rows ORDER BY ALL",
        "arrivals": "SELECT seq, ingester FROM arrivals ORDER BY ALL",
        "log_rows": "SELECT seq, body FROM log_rows ORDER BY ALL",
        "segments": "SELECT segment, spans, logs, length(requests) FROM segments ORDER BY ALL",
    }
    return {table: list(in_worker(lambda sql=sql: store.frame(sql)).iter_rows()) for table, sql in asked.items()}


class _Faulty:
    """A store whose inserts meet `answer(table, rows)` first; it may raise."""

    def __init__(self, store: Store, answer: Callable[[str, pa.Table], None], after: bool = False) -> None:
        self._store, self._answer, self._after = store, answer, after

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        if not self._after:
            self._answer(table, rows)
        self._store.insert(table, rows, token)
        if self._after:
            self._answer(table, rows)

    def named(self, name: str, **given: Any) -> Any:
        return self._store.named(name, **given)


class _Fails:
    """Raises `error` for one table (all when empty) so many times."""

    def __init__(self, error: Exception, times: int, table: str = "") -> None:
        self.error, self.times, self.table, self.met = error, times, table, 0

    def __call__(self, table: str, rows: pa.Table) -> None:
        if self.table in ("", table) and self.met < self.times:
            self.met += 1
            raise self.error


def test_a_segment_becomes_rows(store: Store, tmp_path: Path) -> None:
    spool, path = _log(tmp_path, _traces(1, 2), ("logs", otlp.logs(otlp.record("a"))), _traces(3))
    counters = _run(store, spool)
    found = _rows(store)
    seqs = [(1 << 22) + n for n in range(3)]
    ids = [f"{n:016X}" for n in (1, 2, 3)]
    assert found["span_rows"] == [(s, i, "chat") for s, i in zip(seqs, ids, strict=True)]
    assert found["arrivals"] == [(s, spool.ingester) for s in seqs]
    assert found["log_rows"] == [((1 << 22) + 3, "a")], "numbered after the spans of the segment"
    assert found["segments"] == [(1, 3, 1, 3)]
    assert (counters.spans_stored, counters.logs_stored, counters.spool_bytes) == (3, 1, 0)
    assert not path.exists()


def test_storing_a_segment_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    spool, path = _log(tmp_path, _traces(1, 2), ("logs", otlp.logs(otlp.record("a"))), _traces(3))
    whole = path.read_bytes()
    _run(store, spool)
    once = _rows(store)
    path.write_bytes(whole)  # as a kill between the insert and the removal leaves it
    counters = _run(store, Spool(tmp_path))
    assert _rows(store) == once
    assert not path.exists()
    assert counters.spans_stored == 3


def test_a_segment_is_stored_once_even_when_a_newer_version_reads_it_otherwise(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, path = _log(tmp_path, _traces(1, 2))
    whole = path.read_bytes()
    _run(store, spool)
    once = _rows(store)
    path.write_bytes(whole)
    other = otlp.traces(otlp.span(1, {"gen_ai.operation.name": "embeddings"}), otlp.span(2), otlp.span(3))

    def newer(ingester: str, first: int, records: Sequence[Record]) -> pa.Table:
        return span_rows(ingester, first, [record_of("traces", other)])

    monkeypatch.setitem(writing._TABLES, "traces", ("span_rows", newer))
    _run(store, Spool(tmp_path))
    assert _rows(store) == once


@pytest.mark.parametrize("table", ["span_rows", "log_rows", "segments"])
def test_an_insert_whose_answer_is_lost_is_repeated_without_effect(store: Store, tmp_path: Path, table: str) -> None:
    bodies = [_traces(1, 2), ("logs", otlp.logs(otlp.record("a")))]
    spool, _ = _log(tmp_path, *bodies)
    fails = _Fails(TransientError("connection lost"), 2, table)
    _run(_Faulty(store, fails, after=True), spool)
    found = _rows(store)
    assert fails.met == 2
    assert {name: len(rows) for name, rows in found.items()} == {
        "span_rows": 2, "arrivals": 2, "log_rows": 1, "segments": 1,
    }  # fmt: skip


def test_different_segments_of_the_same_spans_are_not_mistaken_for_each_other(store: Store, tmp_path: Path) -> None:
    spool, _ = _log(tmp_path, _traces(1))
    _run(store, spool)
    again, _ = _log(tmp_path, _traces(1, 2))
    _run(store, again)
    assert [row[0] for row in _rows(store)["segments"]] == [1, 3]
    assert {row[1] for row in _rows(store)["span_rows"]} == {f"{n:016X}" for n in (1, 2)}


@pytest.mark.parametrize("error", [TransientError("no answer"), RuntimeError("a bug"), PermanentError("no such table")])
def test_what_the_store_does_not_take_now_waits_and_the_lag_is_seen(
    store: Store, tmp_path: Path, error: Exception
) -> None:
    spool, path = _log(tmp_path, _traces(1))
    size, fails = path.stat().st_size, _Fails(error, 10**6)
    with _writing(_Faulty(store, fails), spool) as (writer, counters):
        time.sleep(0.3)
        seen = counters.snapshot()
        assert seen["ingest_lag_seconds"] >= 0.2
        assert (seen["spool_bytes"], path.exists(), fails.met > 0) == (size, True, True)
        fails.times = 0
        until(lambda: not counters.snapshot()["ingest_lag_seconds"])
    assert (len(_rows(store)["span_rows"]), path.exists()) == (1, False)
    assert not (spool.folder / "quarantine").exists()
    assert (counters.spool_bytes, counters.spans_stored) == (0, 1)


def test_a_request_that_can_never_be_stored_is_set_aside(store: Store, tmp_path: Path) -> None:
    many = [_traces(10 * n, 10 * n + 1) for n in range(1, 4)]
    spool, path = _log(tmp_path, many[0], ("traces", _POISON), many[1], ("logs", otlp.logs(otlp.record("a"))), many[2])
    whole = path.read_bytes()
    counters = _run(store, spool)
    found = _rows(store)
    assert [(s - (1 << 22), int(i, 16)) for s, i, _ in found["span_rows"]] == list(enumerate([10, 11, 20, 21, 30, 31]))
    assert [s for s, _ in found["arrivals"]] == [s for s, _, _ in found["span_rows"]]
    assert (len(found["span_rows"]), len(found["log_rows"])) == (6, 1)
    assert found["segments"] == [(1, 6, 1, 5)]
    assert (counters.requests_quarantined, counters.spans_stored) == (1, 6)
    aside = list((spool.folder / "quarantine").iterdir())
    assert [(p.name, p.read_bytes()) for p in aside] == [("000000000001-1.traces.binpb", _POISON)]
    path.write_bytes(whole)
    _run(store, Spool(tmp_path))
    assert _rows(store) == found


def test_a_bad_log_request_does_not_store_the_spans_beside_it_twice(store: Store, tmp_path: Path) -> None:
    spool, _ = _log(tmp_path, _traces(1, 2), ("logs", _POISON))
    assert _run(store, spool).requests_quarantined == 1
    found = _rows(store)
    assert (len(found["arrivals"]), len(found["span_rows"])) == (2, 2)


def test_spans_of_many_days_are_stored_and_of_too_many_set_aside(store: Store, tmp_path: Path) -> None:
    def days(first: int, count: int) -> tuple[str, bytes]:
        starts = [(first + n) * _DAY for n in range(count)]
        spans = (otlp.span(n + 1, trace=first, start_time_unix_nano=s) for n, s in enumerate(starts))
        return "traces", otlp.traces(*spans)

    spool, _ = _log(tmp_path, days(10_000, 300), days(1, 1001))
    counters = _run(store, spool)
    assert (counters.requests_quarantined, counters.spans_stored) == (1, 300)
    assert len(_rows(store)["span_rows"]) == 300


def test_times_at_the_edges_are_stored(store: Store, tmp_path: Path) -> None:
    ends = {1: (0, 0), 2: (2**64 - 1, 2**64 - 1), 3: (5 * _DAY, _DAY)}
    spans = (otlp.span(n, start_time_unix_nano=a, end_time_unix_nano=b) for n, (a, b) in ends.items())
    spool, _ = _log(tmp_path, ("traces", otlp.traces(*spans)))
    _run(store, spool)
    sql = "SELECT toUnixTimestamp64Nano(start_time) AS s, toUnixTimestamp64Nano(end_time) AS e, duration_ns AS d FROM spans"
    found = in_worker(lambda: store.frame(f"{sql} ORDER BY span_id"))
    assert found.rows() == [(0, 0, 0), (2**63 - 1, 2**63 - 1, 0), (5 * _DAY, _DAY, 0)]


def test_a_cut_tail_is_not_stored_and_what_is_whole_is(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, path = _log(tmp_path, _traces(1), _traces(2))
    path.write_bytes(path.read_bytes()[:-1])
    _run(store, Spool(tmp_path))
    assert [row[1] for row in _rows(store)["span_rows"]] == [f"{1:016X}"]
    assert "torn and are set aside" in caplog.text
    assert [p.name for p in (spool.folder / "quarantine").iterdir()] == [f"{path.stem}.torn"]


def test_a_damaged_record_is_set_aside_and_counted_and_what_follows_is_stored(store: Store, tmp_path: Path) -> None:
    spool, path = _log(tmp_path, _traces(1), _traces(2), _traces(3))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    counters = _run(store, Spool(tmp_path))
    assert [row[1] for row in _rows(store)["span_rows"]] == [f"{n:016X}" for n in (1, 3)]
    (aside,) = (spool.folder / "quarantine").iterdir()
    assert aside.name == f"{path.stem}.damaged" and aside.stat().st_size == counters.spool_damaged_bytes > 0


def test_a_segment_deleted_by_hand_does_not_stop_the_others(store: Store, tmp_path: Path) -> None:
    spool, path = _log(tmp_path, _traces(1))
    later = spool.open_segment()
    later.append([record_of(*_traces(2))])
    later.close()
    counters = Counters()
    counters.add(spool_bytes=later.size)
    writer = Writer(store, spool, counters)
    writer.put(later.path)
    path.unlink()
    writer.start()
    writer.close()
    assert [row[1] for row in _rows(store)["span_rows"]] == [f"{2:016X}"]
    assert counters.spool_bytes == 0


def test_what_is_not_stored_at_close_is_stored_by_the_next_writer(store: Store, tmp_path: Path) -> None:
    spool, path = _log(tmp_path, _traces(1))
    counters = Counters()
    writer = Writer(_Faulty(store, _Fails(TransientError("down"), 10**6)), spool, counters)  # type: ignore[arg-type]
    writer._thread.join = lambda timeout=None, real=writer._thread.join: real(0.1 if timeout else None)  # type: ignore
    writer.start()
    writer.close()
    assert (path.exists(), counters.spool_bytes) == (True, path.stat().st_size)
    assert _run(store, Spool(tmp_path)).spans_stored == 1
    assert len(_rows(store)["arrivals"]) == 1


def test_the_next_segment_is_built_during_an_insert_and_inserted_only_after_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    for n in range(1, 5):
        segment = spool.open_segment()
        segment.append([record_of(*_traces(n))])
        segment.close()
    built: list[int] = []
    inserted: list[tuple[int, str, int]] = []
    next_is_built = threading.Event()

    def build(ingester: str, first: int, records: Sequence[Record]) -> pa.Table:
        built.append(first >> 22)
        if len(built) == 2:
            next_is_built.set()
        return span_rows(ingester, first, records)

    def answer(table: str, rows: pa.Table) -> None:
        if table == "span_rows":
            assert next_is_built.wait(10), "the second segment is built while the first is inserted"
            time.sleep(0.1)
            number = rows["seq"][0].as_py() >> 22
            inserted.append((number, table, len(set(built))))
            if [n for n, *_ in inserted].count(number) < 3:
                raise TransientError("busy")
        else:
            inserted.append((rows["segment"][0].as_py(), table, len(set(built))))

    monkeypatch.setitem(writing._TABLES, "traces", ("span_rows", build))
    _run(_Faulty(store, answer), Spool(tmp_path))
    assert [(n, table) for n, table, _ in inserted] == [
        (n, table) for n in range(1, 5) for table in ["span_rows"] * 3 + ["segments"]
    ], "no insert before those of the segments before it are done"
    assert all(ahead <= number + 1 for number, _, ahead in inserted), "at most one segment is built ahead"
    assert [seq >> 22 for seq, _ in _rows(store)["arrivals"]] == [1, 2, 3, 4]


def test_copies_within_a_batch_and_columns_without_a_value_are_read_as_before(store: Store, tmp_path: Path) -> None:
    one = otlp.traces(otlp.span(1, {"gen_ai.operation.name": "chat"}))
    spool, _ = _log(tmp_path, ("traces", one), ("traces", one + otlp.traces(otlp.span(2))))
    _run(store, spool)
    assert len(_rows(store)["arrivals"]) == 3
    sql = "SELECT span_id, operation, tool_name, event_names, attributes FROM spans ORDER BY span_id"
    found = in_worker(lambda: store.frame(sql)).rows()
    assert [(row[:2], row[2], row[3]) for row in found] == [((f"{1:016x}", "chat"), "", []), ((f"{2:016x}", ""), "", [])]


@pytest.fixture
def rooms(store: Store, tmp_path: Path) -> Iterator[Callable[[], Ingest]]:
    opened: list[Ingest] = []

    def open_one() -> Ingest:
        ports = IngestSettings(grpc_port=0, http_port=0, segment_idle_seconds=0.05, segment_busy_seconds=0.05)
        room = Ingest(Settings(data=tmp_path, host="127.0.0.1", ingest=ports), store)
        in_worker(room.start)
        opened.append(room)
        return room

    yield open_one
    for room in opened:
        room.stop()


def test_a_request_in_the_store_is_recognised_after_a_restart(store: Store, rooms: Callable[[], Ingest]) -> None:
    first = rooms()
    bodies = [_traces(n)[1] for n in range(1, 4)]
    for body in bodies:
        first._intake.receive("traces", body)
        time.sleep(0.1)
    first.stop()
    second = rooms()
    assert list(second._intake._known) == [record_of("traces", body).digest for body in bodies]
    second._intake.receive("traces", bodies[1])
    second.stop()
    assert second.counters.spans_duplicate == 1
    assert len(_rows(store)["arrivals"]) == 3


def test_rows_carry_the_label_of_their_sender_and_another_tenant_replaces_nothing(tmp_path: Path, store: Store) -> None:
    nameless = otlp.traces(otlp.span(1), otlp.span(2), otlp.span(9, span_id=b""), service="")
    spool = Spool(tmp_path)
    segment = spool.open_segment()
    segment.append([
        record_of("traces", nameless, 2, "acme", "batch"), record_of("traces", nameless, 2, "zeta", "batch"),
        record_of("traces", otlp.traces(otlp.span(3))), record_of("logs", otlp.logs(otlp.record("a"), service=""), 1, "acme", "batch"),
    ])  # fmt: skip
    segment.close()
    _run(store, Spool(tmp_path))
    rows = in_worker(lambda: store.frame("SELECT span_id, tenant, service_name FROM spans ORDER BY ALL")).rows()
    ids = [n.to_bytes(8, "big").hex() for n in (1, 1, 2, 2, 3)]
    assert rows == list(zip(ids, ["acme", "zeta", "acme", "zeta", ""], ["batch"] * 4 + ["desk"], strict=True))
    assert in_worker(lambda: store.frame("SELECT tenant, service_name FROM log_rows")).rows() == [("acme", "batch")]


def test_an_insert_that_the_store_only_believes_to_have_is_made_again(store: Store, tmp_path: Path) -> None:
    """As when the disk fills between the note of a token and its rows: the token is known, the rows are not there."""
    spool, path = _log(tmp_path, _traces(1, 2))
    in_worker(lambda: store.insert("span_rows", span_rows("x", 1, [record_of(*_traces(9))]), f"{spool.ingester}-1-traces"))
    counters = _run(store, spool)
    assert counters.spans_stored == 2 and not path.exists()
    assert {row[1] for row in _rows(store)["span_rows"]} == {f"{n:016X}" for n in (1, 2, 9)}


@pytest.mark.parametrize("code", [243, 75, 1001])
def test_a_full_disk_of_the_store_is_waited_for(code: int) -> None:
    from clickhouse_connect.driver.exceptions import DatabaseError

    def full() -> None:
        raise DatabaseError(f"Code: {code}. DB::Exception: Cannot reserve 1.00 MiB, not enough space.")

    with pytest.raises(TransientError, match="not enough space"):
        Store("chdb:///nowhere")._guard("insert", full)
