"""The roles apart, over one ClickHouse server: here a bridge in front of chDB, or the server that a variable names."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bridge import Bridge, bridge
from tests.e2e.harness import Program, until
from tests.e2e.story import double_refund, provider

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Bridge]:
    with bridge(tmp_path / "clickhouse", user="u", password="p") as started:
        yield started


def _database(url: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/actorscope_{time.time_ns()}"


def test_roles_work_apart_and_an_outage_of_the_store_loses_nothing(tmp_path: Path, server: Bridge) -> None:
    store = ("--store", _database(server.url))
    with (
        Program(tmp_path / "ingest", *store, role="ingest") as ingest,
        Program(tmp_path / "analyze", *store, role="analyze"),
        Program(tmp_path / "explore", *store, role="explore") as explore,
    ):
        first = double_refund(provider(ingest.where))
        until(lambda: len(explore.findings()) == 1, "the finding is there")
        server.kill()
        second = double_refund(provider(ingest.where), order="B-2", conversation="c-2")
        time.sleep(2)
        server.restart()
        until(lambda: _count(explore) == 6, "what came in during the outage is stored")
        until(lambda: len(explore.findings()) == 2, "and judged")
        traces = {e["trace_id"] for f in explore.findings() for e in f["evidence"]}
        assert traces == {first, second}
        assert "p@" not in ingest.log() + explore.log(), "the password of the store is never shown"


def test_an_insert_whose_answer_was_cut_is_stored_once(tmp_path: Path, server: Bridge) -> None:
    with Program(tmp_path / "all", "--store", _database(server.url)) as program:
        server.fault("cut_after_execute", count=3, match="INSERT INTO span_rows")
        double_refund(provider(program.where))
        until(lambda: _count(program) >= 3, "the spans are stored")
        time.sleep(2)
        assert _count(program) == 3
        assert program.sql("SELECT count() FROM actions") == [[2]]
        assert server.executed("INSERT INTO span_rows") >= 2, "the fault must have made it try again"


@pytest.mark.skipif("ACTORSCOPE_TEST_CLICKHOUSE_URL" not in os.environ, reason="no ACTORSCOPE_TEST_CLICKHOUSE_URL")
def test_a_real_clickhouse_server_does_the_same(tmp_path: Path) -> None:
    with Program(tmp_path / "all", "--store", _database(os.environ["ACTORSCOPE_TEST_CLICKHOUSE_URL"])) as program:
        double_refund(provider(program.where))
        until(lambda: len(program.findings()) == 1, "the finding is there")
        assert _count(program) == 3


def _count(program: Program) -> int:
    try:
        return int(program.sql("SELECT count() FROM spans")[0][0])
    except AssertionError:
        return -1  # the store is down
