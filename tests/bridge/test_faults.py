"""For tests only: proof that the bridge fails as asked, stops in order, and comes back after a crash."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, ProgrammingError
from tests.bridge import Bridge, bridge
from tests.bridge.bridge_samples import TABLE, count, rows

from actorscope.errors import TransientError
from actorscope.ingest.store.client import Store


def test_faults(server: Bridge, client: Any) -> None:
    before = server.executed("INSERT INTO spans")

    def insert(token: str, *ids: str) -> None:
        client.insert_arrow("spans", rows(*ids), settings={"insert_deduplication_token": token})

    for mode, error, says in [
        ("refuse", OperationalError, "503"),
        ("error_500", DatabaseError, "injected fault"),
        ("error_memory", DatabaseError, "MEMORY_LIMIT_EXCEEDED"),
    ]:
        server.fault(mode, match="INSERT INTO spans")
        assert client.command("SELECT 1") == 1  # another statement goes through
        with pytest.raises(error, match=says) as caught:
            insert("t1", "aaaa")
        assert (caught.value.code == 241) is (mode == "error_memory")
    assert (count(client), server.executed("INSERT INTO spans")) == (0, before)

    server.fault("cut_after_execute", match="INSERT INTO spans")
    with pytest.raises(OperationalError, match="Connection aborted"):
        insert("t1", "aaaa")
    insert("t1", "aaaa")
    assert (count(client), server.executed("INSERT INTO spans")) == (1, before + 2)

    # A Native insert is repeated by clickhouse-connect itself, an Arrow insert is not.
    server.fault("cut_after_execute", match="INSERT INTO spans")
    client.insert("spans", [["bbbb"]], column_names=["id"], settings={"insert_deduplication_token": "t2"})
    assert (count(client), server.executed("INSERT INTO spans")) == (2, before + 4)

    server.fault("slow", seconds=1.5, match="SELECT 7")
    impatient = server.client(send_receive_timeout=1)
    with pytest.raises(OperationalError, match="timed out"):
        impatient.command("SELECT 7")
    assert client.command("SELECT 7") == 7
    with pytest.raises(RuntimeError, match="mode must be"):
        server.fault("nonsense")
    assert server.log()["faults"] >= 6


def test_user_kill_and_restart(tmp_path: Path) -> None:
    with bridge(tmp_path / "ch", user="ann", password="s3cret:!") as server:
        with pytest.raises(DatabaseError, match="Authentication failed") as caught:
            server.client(password="wrong")
        assert caught.value.code == 516
        client = server.client()
        client.command("CREATE DATABASE app ENGINE = Atomic")
        client.command("CREATE TABLE app.kept (a Int32) ENGINE = MergeTree ORDER BY a")
        client.insert("app.kept", [[1], [2]], column_names=["a"])
        assert server.executed("INSERT INTO app.kept") == 1
        server.kill()
        assert not client.ping()
        with pytest.raises((OperationalError, ProgrammingError)):
            client.query("SELECT 1")
        server.restart()
        assert client.query("SELECT count() FROM app.kept").result_rows == [(2,)]


def test_what_was_answered_outlives_a_crash(tmp_path: Path) -> None:
    with bridge(tmp_path / "ch") as server:
        server.client().command(TABLE)
        for turn in range(2):
            answered = 0
            client = server.client()
            crash = threading.Timer(0.3, server.kill)
            crash.start()
            with pytest.raises(OperationalError):
                while True:
                    client.insert_arrow("spans", rows(f"{turn}{answered:03}"))
                    answered += 1
            crash.join()
            server.restart()
            found = server.client().command(f"SELECT uniqExact(id) FROM spans WHERE startsWith(id, '{turn}')")
            assert 0 < answered <= found <= answered + 1


def test_an_orderly_stop_answers_what_runs(tmp_path: Path) -> None:
    with bridge(tmp_path / "ch") as server, ThreadPoolExecutor(1) as pool:
        idle, client = server.client(), server.client()
        assert idle.ping()
        answer = pool.submit(client.command, "SELECT sleep(1)")
        time.sleep(0.5)
        assert server.stop() == 0
        assert answer.result() == 0


@pytest.mark.parametrize(
    "mode", ["refuse", "hang", "cut_before_execute", "cut_after_execute", "half_answer", "error_memory"]
)
def test_whatever_becomes_of_a_statement_another_try_has_its_effect_once(
    server: Bridge, client: Any, mode: str
) -> None:
    """A store of ours says that the failure may pass, and the same rows with the same token are there once in the end."""
    store = Store(f"{server.url.rsplit('/', 1)[0]}/app")
    store.command("SELECT 1")
    for statement in (lambda: store.insert("spans", rows("aaaa"), "t1"), lambda: store.frame("SELECT id FROM spans")):
        server.fault(mode, seconds=0.2)
        for _ in range(2):
            with suppress(TransientError):
                statement()
    assert server.log()["fault"]["count"] == 0
    assert store.frame("SELECT id FROM spans").height == 1
    store.close()
