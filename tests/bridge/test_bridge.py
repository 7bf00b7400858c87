"""For tests only: proof that the bridge is ClickHouse enough for clickhouse-connect."""

from __future__ import annotations

import threading
import time
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData
from tests.bridge import Bridge
from tests.bridge.bridge_samples import INSTANT, count, rows


def test_arrow_goes_in_and_comes_out(client: Any) -> None:
    done = client.insert_arrow("spans", rows("aaaa", "bbbb"))
    assert done.written_rows == 2
    table = client.query_arrow("SELECT id, attrs, at, cost, tags FROM spans ORDER BY id", use_strings=True)
    first = table.slice(0, 1).to_pydict()
    assert table.schema.field("at").type == pa.timestamp("ns", "UTC")
    assert table.column("at").cast(pa.int64()).to_pylist() == [INSTANT] * 2
    assert dict(first["attrs"][0]) == {"model": "m", "it's": "a\tb"}
    assert (first["cost"], first["tags"]) == ([None], [["x", "y'\\"]])
    empty = client.query_arrow("SELECT id, tags FROM spans WHERE id = 'none'")
    assert (empty.num_rows, empty.column_names) == (0, ["id", "tags"])


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_native_goes_in_and_comes_out(server: Bridge, client: Any, compress: bool | str) -> None:
    packed = server.client(database="app", compress=compress)
    names = ["id", "kind", "attrs", "tags", "cost", "version"]
    packed.insert("spans", [[b"aaaa", "llm", {"k": "v"}, ["t"], 0.5, 7]] * 3000, column_names=names)
    found = packed.query(f"SELECT {', '.join(names)} FROM spans")
    assert found.result_rows == [(b"aaaa", "llm", {"k": "v"}, ["t"], 0.5, 7)]
    assert (found.column_names, found.summary["read_rows"]) == (tuple(names), "1")
    assert found.query_id
    assert packed.query("SELECT * FROM spans LIMIT 0").column_names[0] == "id"
    assert packed.query("SELECT number, toString(number) FROM numbers(100000)").row_count == 100_000
    with packed.query_row_block_stream("SELECT number FROM numbers(1000)") as stream:
        assert sum(len(block) for block in stream) == 1000
    assert packed.raw_query("SELECT 1 AS a FORMAT JSONEachRow") == b'{"a":1}\n'


def test_replacing_merge_tree_replaces(client: Any) -> None:
    client.insert_arrow("spans", rows("aaaa", version=1))
    client.insert_arrow("spans", rows("aaaa", version=2))
    assert count(client) == 2
    assert client.query("SELECT version FROM spans FINAL").result_rows == [(2,)]


def test_deduplication_token(client: Any) -> None:
    for token, batch in [("one", rows("aaaa")), ("one", rows("bbbb")), ("two", rows("cccc"))]:
        client.insert_arrow("spans", batch, settings={"insert_deduplication_token": token})
    assert [row[0] for row in client.query("SELECT id FROM spans ORDER BY id").result_rows] == [b"aaaa", b"cccc"]


def test_parameters_are_bound_by_the_server(client: Any) -> None:
    nasty = ["it's", 'a"b', "back\\slash", "tab\tnew\nline", "é", "'); DROP TABLE spans --", ""]
    asked = client.query("SELECT {x:Array(String)}, {n:Int64} + 1", parameters={"x": nasty, "n": 41})
    assert asked.result_rows == [(nasty, 42)]
    for each in nasty:
        assert client.query("SELECT {s:String}", parameters={"s": each}).result_rows == [(each,)]
    named = {"t": "spans", "d": None}
    found = client.query("SELECT count(), {d:Nullable(String)} FROM {t:Identifier}", parameters=named)
    assert found.result_rows == [(0, None)]
    formed = client.query("SELECT {s:String}", parameters={"s": "x" * 100_000})
    assert len(formed.result_rows[0][0]) == 100_000


def test_commands(client: Any) -> None:
    assert client.command("SELECT 1") == 1
    assert client.command("EXISTS TABLE nothing") == 0
    assert client.command("SELECT 1 WHERE 0") == ""
    assert client.command("INSERT INTO spans (id, version) VALUES ('v;v', 1), ('wwww', 2)").written_rows == 2
    assert client.command("INSERT INTO spans (id) FORMAT JSONEachRow", data='{"id":"jjjj"}\n').written_rows == 1
    client.command("ALTER TABLE spans ADD COLUMN note String DEFAULT 'n'")
    assert client.query("SELECT DISTINCT note FROM spans").result_rows == [("n",)]
    assert client.ping()


def test_external_data(client: Any) -> None:
    given = ExternalData(file_name="wanted.csv", data=b"1,a\n2,b\n", fmt="CSV", structure=["n UInt8", "s String"])
    assert client.query("SELECT n, s FROM wanted ORDER BY n", external_data=given).result_rows == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("sql", "code", "says"),
    [
        ("SELECT * FROM nothing", 60, "UNKNOWN_TABLE"),
        ("SELEC 1", 62, "SYNTAX_ERROR"),
        ("SELECT 1; DROP TABLE spans", 62, "Multi-statements"),
        ("SELECT throwIf(1, 'spilt milk')", 395, "spilt milk"),
        ("SELECT {x:String}", 456, "UNKNOWN_QUERY_PARAMETER"),
    ],
)
def test_errors_are_those_of_a_server(client: Any, sql: str, code: int, says: str) -> None:
    with pytest.raises(DatabaseError, match=says) as caught:
        client.command(sql)
    assert caught.value.code == code
    assert count(client) == 0


def test_a_bad_insert_says_why(client: Any) -> None:
    with pytest.raises(DatabaseError, match="No such column zz"):
        client.insert_arrow("spans", pa.table({"zz": ["a"]}))


@pytest.mark.parametrize(
    ("settings", "sql", "code"),
    [
        ({"max_execution_time": 1}, "SELECT count() FROM numbers(100000000000) WHERE sin(number) > 2", 159),
        ({"max_result_rows": 5}, "SELECT number FROM numbers(10)", 396),
        ({"readonly": 1}, "DROP TABLE spans", 164),
        ({"readonly": 1}, "SELECT 1 SETTINGS max_threads = 1", 164),
        ({"max_memory_usage": 1_000_000}, "SELECT length(groupArray(number)) FROM numbers(100000000)", 241),
    ],
)
def test_settings_hold_for_one_statement(client: Any, settings: dict[str, int], sql: str, code: int) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.query(sql, settings=settings)
    assert caught.value.code == code
    assert client.query("SELECT number FROM numbers(10)").row_count == 10
    client.command("DROP TABLE IF EXISTS another")


def test_settings_of_a_client_and_of_a_session(server: Bridge) -> None:
    reader = server.client(database="app", settings={"readonly": 1, "max_result_rows": 5})
    with pytest.raises(DatabaseError, match="READONLY"):
        reader.command("CREATE TABLE no (a Int8) ENGINE = Memory")
    with pytest.raises(DatabaseError, match="TOO_MANY_ROWS"):
        reader.query("SELECT number FROM numbers(10)")
    with_session = server.client(session_id="s1")
    with_session.command("SET max_result_rows = 3")
    with pytest.raises(DatabaseError, match="TOO_MANY_ROWS"):
        with_session.query("SELECT number FROM numbers(10)")
    assert server.client().query("SELECT number FROM numbers(10)").row_count == 10


def test_a_session_runs_one_statement_at_a_time(server: Bridge) -> None:
    first, second = server.client(session_id="s2"), server.client(session_id="s2")
    running = threading.Thread(target=first.command, args=("SELECT sleep(1)",))
    running.start()
    time.sleep(0.3)
    with pytest.raises(DatabaseError, match="SESSION_IS_LOCKED"):
        second.command("SELECT 1")
    running.join()
    assert second.command("SELECT 1") == 1


def test_many_clients_at_once(server: Bridge, client: Any) -> None:
    def write(number: int) -> None:
        mine = server.client(database="app")
        for turn in range(5):
            mine.insert_arrow("spans", rows(f"{number}-{turn}x"[:4]))
        mine.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert count(client) == 40
