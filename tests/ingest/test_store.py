"""The store: migrated once, the same over chDB and over a server, and plain about what may be tried again."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from tests.bridge import Bridge, bridge
from tests.ingest import otlp

from actorscope.errors import DefinitionError, PermanentError, TransientError
from actorscope.ingest.spool import record_of
from actorscope.ingest.store import migrate as migrating
from actorscope.ingest.store.client import Store, in_worker, query_text
from actorscope.ingest.store.migrate import migrate, migrations
from actorscope.ingest.writer import span_rows

_NAMES = [name for name, _ in migrations()]
_VIEWS = ("spans", "agent_runs", "delegations", "actions", "model_calls", "approvals", "open_spans", "findings")
_DAY = datetime(2026, 6, 1)
_BY_TYPE: dict[str, Any] = {
    "String": "x", "UInt64": 5, "UInt32": 5, "Array(String)": ["ab" * 16], "Date": _DAY.date(), "Array(Date)": [_DAY.date()],
    "DateTime64(9, 'UTC')": _DAY, "DateTime64(3)": _DAY, "Bool": True, "UInt8": 1, "Int64": 5, "Array(Int64)": [5],
}  # fmt: skip
_BY_NAME: dict[str, Any] = {"spans": ["ab" * 8]}


def _ask(store: Store, name: str, **given: Any) -> pl.DataFrame:
    """A named query; parameters that are not given have some value of their type."""
    needed = dict(re.findall(r"\{(\w+):([^}]+)\}", query_text(name)))
    values = {key: given.get(key, _BY_NAME.get(key, _BY_TYPE[kind])) for key, kind in needed.items()}
    if "\nINSERT INTO" in query_text(name):
        store.command(query_text(name), values)
        return pl.DataFrame()
    return store.named(name, **values)


def _spans(*numbers: int) -> pa.Table:
    body = otlp.traces(*(otlp.span(n, {"gen_ai.operation.name": "chat"}) for n in numbers))
    return span_rows("i", 1, [record_of("traces", body)])


def _count(store: Store, table: str = "span_rows") -> int:
    return int(store.frame(f"SELECT count() AS n FROM {table}")["n"][0])


def _smoke(store: Store) -> None:
    """What any ClickHouse must do for us; the store is empty before."""
    assert migrate(store) == []
    for _ in range(2):
        store.insert("span_rows", _spans(1, 2), token="t1")
    assert (_count(store), _count(store, "arrivals")) == (2, 2)
    store.insert("span_rows", _spans(1, 2), token="t2")
    assert (_count(store, "arrivals"), _count(store, "spans")) == (4, 2)
    names = {path.name.removesuffix(".sql") for path in files("actorscope.ingest.store").joinpath("queries").iterdir()}
    for name in sorted(names):
        _ask(store, name)
    found = _ask(
        store, "trace_spans", traces=[f"{1:032x}"], **{"from": datetime(1970, 1, 1), "to": datetime(2200, 1, 1)}
    )
    assert found.height == 2
    assert _ask(store, "arrivals", ingester="i", after=0)["trace_id"].unique().to_list() == [f"{1:032x}"]
    for view in _VIEWS:
        assert store.frame(f"SELECT * FROM {view} LIMIT 5").height == (2 if view == "spans" else 0)
    [row] = store.frame("SELECT * FROM spans WHERE span_id = {id:String}", {"id": f"{2:016x}"}).to_dicts()
    assert (row["operation"], row["service_name"], row["duration_ns"]) == ("chat", "desk", 10**9)
    assert row["start_time"].replace(tzinfo=None) == datetime.fromtimestamp(otlp.START / 1e9, UTC).replace(tzinfo=None)


def test_the_embedded_store_does_all(store: Store) -> None:
    in_worker(lambda: _smoke(store))


def test_migrating_twice_applies_once(store: Store) -> None:
    assert in_worker(lambda: migrate(store)) == []
    ledger = in_worker(lambda: store.frame("SELECT name FROM migrations ORDER BY name"))
    assert ledger["name"].to_list() == [*_NAMES, "views.sql"]


def test_an_edited_migration_is_refused_and_nothing_applied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = [(name, text + ("-- more\n" if name in _NAMES[:2] else "")) for name, text in migrations()]
    changed.append(("9999_new.sql", "CREATE TABLE never (a Int8) ENGINE = Memory;\n"))
    monkeypatch.setattr(migrating, "migrations", lambda: changed)
    with pytest.raises(DefinitionError) as caught:
        in_worker(lambda: migrate(store))
    assert [problem.where for problem in caught.value.problems] == _NAMES[:2]
    assert "changed after it was applied" in str(caught.value)
    with pytest.raises(PermanentError, match="never"):
        in_worker(lambda: store.frame("SELECT * FROM never"))


def test_views_are_made_again_when_their_file_changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = migrating.views() + "\nCREATE OR REPLACE VIEW newest AS SELECT 1 AS one;\n"
    monkeypatch.setattr(migrating, "views", lambda: changed)
    assert in_worker(lambda: migrate(store)) == ["views.sql"]
    assert in_worker(lambda: migrate(store)) == []
    assert in_worker(lambda: store.frame("SELECT one FROM newest")).item() == 1
    monkeypatch.undo()
    in_worker(lambda: store.command("DROP VIEW newest"))
    assert in_worker(lambda: migrate(store)) == ["views.sql"]


def test_a_migration_that_was_cut_short_is_run_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (f"CREATE TABLE IF NOT EXISTS cut_{x} (a Int8) ENGINE = Memory" for x in "ab")
    good, half = (f"{first};\n\n-- a word; more\n{last}" for last in (second, "CREATE TABEL cut_b"))
    try:
        monkeypatch.setattr(migrating, "migrations", lambda: [("9000_cut.sql", half)])
        with pytest.raises(PermanentError):
            in_worker(lambda: migrate(store))
        monkeypatch.setattr(migrating, "migrations", lambda: [("9000_cut.sql", good)])
        assert in_worker(lambda: migrate(store)) == ["9000_cut.sql"]
        assert in_worker(lambda: _count(store, "cut_b")) == 0
    finally:
        for sql in ("DROP TABLE IF EXISTS cut_a", "DROP TABLE IF EXISTS cut_b",
                    "ALTER TABLE migrations DELETE WHERE name = '9000_cut.sql' SETTINGS mutations_sync = 1"):  # fmt: skip
            in_worker(lambda sql=sql: store.command(sql))


def test_an_insert_cut_between_a_table_and_its_rollup_is_made_whole_by_a_repetition(store: Store) -> None:
    def cut_and_repeat() -> tuple[int, int]:
        store.insert("span_rows", _spans(1, 2), token="cut")
        store.command("TRUNCATE TABLE arrivals")  # as if the process had died before the view was written
        store.insert("span_rows", _spans(1, 2), token="cut")
        return _count(store), _count(store, "arrivals")

    assert in_worker(cut_and_repeat) == (2, 2)


def test_a_wrong_statement_is_permanent_and_names_no_password(store: Store) -> None:
    with pytest.raises(PermanentError, match="UNKNOWN_TABLE"):
        in_worker(lambda: store.frame("SELECT * FROM nothing"))
    remote = Store("http://ann:s3cret@127.0.0.1:1/db")
    assert "s3cret" not in repr(remote)
    with pytest.raises(TransientError) as caught:
        in_worker(lambda: remote.frame("SELECT 1"))
    assert "s3cret" not in str(caught.value)


def test_parameters_are_bound_not_pasted(store: Store) -> None:
    nasty = "'; DROP TABLE span_rows --\\"
    found = in_worker(lambda: store.frame("SELECT {x:String} AS x", {"x": nasty}))
    assert found["x"][0] == nasty


# Over a server.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with bridge(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture
def remote(server: Bridge) -> Iterator[Store]:
    """An empty, migrated database of its own on the server."""
    opened = Store(f"{server.url.removesuffix('default')}a{uuid.uuid4().hex[:8]}")
    assert migrate(opened) == [*_NAMES, "views.sql"]
    yield opened
    server.fault("none")
    opened.close()


def test_a_server_does_all(remote: Store) -> None:
    _smoke(remote)


@pytest.mark.parametrize("mode", ["refuse", "error_memory", "cut_after_execute"])
def test_an_insert_that_failed_is_tried_again_and_stored_once(server: Bridge, remote: Store, mode: str) -> None:
    server.fault(mode, match="INSERT INTO span_rows")
    with pytest.raises(TransientError, match="span_rows|insert 2 rows"):
        remote.insert("span_rows", _spans(1, 2), token="t")
    assert _count(remote) == (2 if mode == "cut_after_execute" else 0)
    remote.insert("span_rows", _spans(1, 2), token="t")
    assert (_count(remote), _count(remote, "arrivals")) == (2, 2)


@pytest.mark.parametrize(("mode", "is_transient"), [("refuse", True), ("error_memory", True), ("error_500", False)])
def test_an_error_of_the_server_says_whether_to_try_again(
    server: Bridge, remote: Store, mode: str, is_transient: bool
) -> None:
    server.fault(mode, count=-1, match="SELECT 7")
    with pytest.raises(TransientError if is_transient else PermanentError):
        remote.frame("SELECT 7 AS n")
    server.fault("none")
    assert remote.frame("SELECT 7 AS n")["n"][0] == 7


def test_a_server_that_is_down_is_transient_and_what_was_stored_is_there_when_it_is_back(tmp_path: Path) -> None:
    with bridge(tmp_path / "ch", user="ann", password="s3cret:!") as own:
        store = Store(f"{own.url.removesuffix('default')}app")
        migrate(store)
        store.insert("span_rows", _spans(1), token="t")
        own.kill()
        calls: list[Callable[[], Any]] = [
            lambda: store.insert("span_rows", _spans(2), token="u"), lambda: _ask(store, "arrivals"),
            lambda: store.command("SELECT 1"), lambda: migrate(Store(store.url)),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(TransientError) as caught:
                call()
            assert "s3cret" not in str(caught.value)
        own.restart()
        for numbers, token in ((1, "t"), (2, "u")):
            store.insert("span_rows", _spans(numbers), token=token)
        assert (_count(store), _count(store, "arrivals")) == (2, 2)
        with pytest.raises(PermanentError, match="Authentication failed"):
            Store(store.url.replace("s3cret", "wrong")).frame("SELECT 1")
        store.close()


def test_spans_of_many_days_are_taken_and_of_too_many_are_permanent(store: Store) -> None:
    def rows(days: int) -> pa.Table:
        spans = (otlp.span(n + 1, start_time_unix_nano=n * 86_400 * 10**9) for n in range(days))
        return span_rows("i", 1, [record_of("traces", otlp.traces(*spans))])

    in_worker(lambda: store.insert("span_rows", rows(150), token="a"))
    with pytest.raises(PermanentError, match="Too many partitions"):
        in_worker(lambda: store.insert("span_rows", rows(1001), token="b"))
    assert in_worker(lambda: _count(store)) == 150


@pytest.mark.skipif(
    not os.environ.get("ACTORSCOPE_TEST_CLICKHOUSE_URL"), reason="ACTORSCOPE_TEST_CLICKHOUSE_URL not set"
)
def test_a_real_server_does_all() -> None:
    root = os.environ["ACTORSCOPE_TEST_CLICKHOUSE_URL"].rstrip("/")
    name = f"actorscope_test_{uuid.uuid4().hex[:8]}"
    opened = Store(f"{root.rpartition('/')[0] if root.count('/') > 2 else root}/{name}")
    try:
        assert migrate(opened) == [*_NAMES, "views.sql"]
        _smoke(opened)
    finally:
        opened.command(f"DROP DATABASE IF EXISTS {name}")
        opened.close()
