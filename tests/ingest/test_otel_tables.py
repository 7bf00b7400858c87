"""What the Collector's ClickHouse exporter writes becomes, by docs/examples/otel_tables.sql, what our door makes of the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import RECORDINGS, ROOT, empty
from tests.ingest import contrib, otlp
from tests.ingest.edge import marked

from actorscope.analysis import ledger
from actorscope.analysis.runner import Runner
from actorscope.cli.replay import read
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import statements
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.settings import AnalysisSettings

VIEWS = (ROOT / "docs/examples/otel_tables.sql").read_text()
_ARRIVED = ("ingester", "seq", "received_at")
_NOT_TOLD = {*_ARRIVED, "flags", "attribute_types", "observed_time"}
_TABLES: dict[str, tuple[str, Callable[..., Any], str]] = {
    "traces": ("span_rows", span_rows, "trace_id, span_id"),
    "logs": ("log_rows", log_rows, "trace_id, span_id, time, body, toString(attributes)"),
}
_GENAI = (
    "agno_team_genai.logs", "agno_team_genai.traces", "langchain_azure_ai.traces", "langgraph_genai.traces", "langgraph_genai_content.logs",
    "langgraph_genai_content.traces", "mastra.traces", "openai_v2_latest.logs", "openai_v2_latest.traces", "vercel_ai7.traces",
)  # fmt: skip
_SETTLED = "generateSnowflakeID() - bitShiftLeft(toUInt64(60000), 22)"


def _bodies(name: str) -> list[bytes]:
    return [b"".join(recorded.body for recorded in read(RECORDINGS / f"{name}.binpb.gz"))]  # one request


def _install(store: Store, text: str) -> None:
    for table, definition in contrib.TABLES.items():
        store.command(f"CREATE TABLE {table} {definition}")
    for statement in statements(text):
        store.command(statement)


@pytest.fixture
def tables(store: Store) -> Iterator[Callable[[str], None]]:
    """Makes the tables of the exporter and the views with this text beside them."""
    yield lambda text: in_worker(lambda: _install(store, text))
    for name in ("spans_of_otel_traces", "logs_of_otel_logs", *contrib.TABLES):
        in_worker(lambda name=name: store.command(f"DROP TABLE IF EXISTS {name}"))


@pytest.fixture
def settled(store: Store, tables: Callable[[str], None]) -> Store:
    """The store with the views, whose rows are a minute old."""
    tables(VIEWS.replace("generateSnowflakeID()", _SETTLED))
    return store


def _through_the_door(store: Store, signal: str, bodies: list[bytes]) -> None:
    table, rows_of, _ = _TABLES[signal]
    store.insert(table, rows_of("door", 1, [record_of(signal, body) for body in bodies]))


def _rows(store: Store, signal: str) -> list[dict[str, Any]]:
    table, _, order = _TABLES[signal]
    rows = store.frame(f"SELECT * FROM {table} FINAL ORDER BY {order}").to_dicts()
    store.command(f"TRUNCATE TABLE {table}")
    return [{name: _plain(name, value) for name, value in row.items() if name not in _NOT_TOLD} for row in rows]


def _plain(name: str, value: Any) -> Any:
    """A value without the spaces that JSON may have in it."""
    if name != "tool_calls" or not value:
        return value
    return [{**call, "arguments": json.loads(call["arguments"])} for call in json.loads(value)]


def _say_the_same(store: Store, signal: str, bodies: list[bytes]) -> None:
    _through_the_door(store, signal, bodies)
    expected = _rows(store, signal)
    contrib.insert(store, signal, bodies)
    found = _rows(store, signal)
    assert len(found) == len(expected) > 0
    differences = [
        (name, one[name], other[name]) for one, other in zip(expected, found, strict=True) for name in one if one[name] != other[name]
    ]
    assert differences == []


@pytest.mark.parametrize("name", _GENAI)
def test_opentelemetry_genai_says_the_same_as_through_the_door(name: str, settled: Store) -> None:
    in_worker(lambda: _say_the_same(settled, name.rpartition(".")[2], _bodies(name)))


@pytest.mark.parametrize("keep_originals", [True, False])
@pytest.mark.parametrize("name", ["crewai_traceloop.traces", "google_adk_plain.logs", "langgraph_openinference.traces", "vercel_ai.traces"])
def test_what_the_plugin_normalised_says_the_same_whatever_its_dialect(name: str, keep_originals: bool, settled: Store) -> None:
    signal = name.rpartition(".")[2]
    bodies = [marked(signal, body, keep_originals) for body in _bodies(name)]
    in_worker(lambda: _say_the_same(settled, signal, bodies))


def _look(store: Store) -> dict[str, list[dict[str, Any]]]:
    """What the documented views show after analysis."""
    Runner(store, AnalysisSettings()).run_to_end()
    shown = {}
    for view in ("spans", "agent_runs", "actions", "model_calls", "delegations"):
        rows = store.frame(f"SELECT * FROM {view} ORDER BY trace_id, span_id").to_dicts()
        shown[view] = [{name: value for name, value in row.items() if name != "received_at"} for row in rows]
    return shown


@pytest.mark.parametrize(("name", "is_marked"), [("agno_team_genai.traces", False), ("langgraph_openinference.traces", True)])
def test_the_documented_views_show_the_same(name: str, is_marked: bool, settled: Store) -> None:
    bodies = [marked("traces", body, keep_originals=False) if is_marked else body for body in _bodies(name)]

    def both() -> None:
        _through_the_door(settled, "traces", bodies)
        expected = _look(settled)
        empty(settled)
        contrib.insert(settled, "traces", bodies)
        found = _look(settled)
        assert not is_marked or {span["dialect"] for span in found["spans"]} == {"langgraph"}
        for view, rows in expected.items():
            assert rows, view
            assert found[view] == rows, view

    in_worker(both)


def _paid_twice() -> bytes:
    pay = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "send_payment", "gen_ai.tool.call.result": "done",
        "gen_ai.tool.call.arguments": '{"account": "DE02", "amount": 120}',
    }  # fmt: skip
    run = {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "payer",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Pay invoice 7"}]}]',
    }  # fmt: skip
    times = [{"start_time_unix_nano": otlp.START + n * 10**9, "end_time_unix_nano": otlp.START + (n + 1) * 10**9} for n in (1, 2)]
    parent = (1).to_bytes(8, "big")
    root = otlp.span(1, run, name="invoke_agent payer", end_time_unix_nano=otlp.START + 5 * 10**9)
    return otlp.traces(root, *(otlp.span(n + 2, pay, parent_span_id=parent, **at) for n, at in enumerate(times)))


def test_analysis_finds_a_write_that_was_done_twice(settled: Store) -> None:
    def found() -> set[str]:
        contrib.insert(settled, "traces", [_paid_twice()])
        Runner(settled, AnalysisSettings()).run_to_end()
        return {finding.detector for finding in ledger.open_findings(settled).values()}

    assert "reexecution_duplicate_write" in in_worker(found)


def test_analysis_waits_until_rows_that_are_inserted_side_by_side_are_settled(store: Store, tables: Callable[[str], None]) -> None:
    tables(VIEWS)

    def taken() -> list[int]:
        counts = []
        for patience in ("", "later"):
            if patience:
                store.command("INSERT INTO arrivals SELECT * REPLACE (seq - bitShiftLeft(toUInt64(60000), 22) AS seq) FROM arrivals")
            else:
                contrib.insert(store, "traces", [_paid_twice()])
            counts.append(Runner(store, AnalysisSettings()).run_to_end().spans)
        return counts

    assert in_worker(taken) == [0, 3]


def test_no_row_makes_an_insert_of_the_exporter_fail(settled: Store) -> None:
    odd = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "Task", "gen_ai.tool.call.arguments": '{"a":',
        "gen_ai.usage.input_tokens": "many", "gen_ai.input.messages": "[1, {]", "gen_ai.output.messages": '[[{"parts": 7}]]',
        "actorscope.authz.scope.granted": '[{"a": 1}, null]', "actorscope.cost.amount": "NaN", "actorscope.action.replayed": "perhaps",
    }  # fmt: skip
    ids = "('', ''), ('zz', 'zz'), ('0102030405060708090a0b0c0d0e0f1g', '010203040506070g'), (repeat('ab', 40), repeat('cd', 40))"
    attributes = f"map({', '.join(repr(text) for pair in odd.items() for text in pair)})"

    def kept() -> tuple[int, int]:
        settled.command(
            f"INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanAttributes, Duration, Links.TraceId, Links.SpanId,"
            f" Links.TraceState, Links.Attributes) SELECT now64(9), p.1, p.2, p.2, {attributes}, toUInt64(-1), [p.1], [p.2], [''], [map()]"
            f" FROM (SELECT arrayJoin([{ids}]) AS p)"
        )
        settled.command(
            f"INSERT INTO otel_logs (Timestamp, TraceId, SpanId, Body, LogAttributes) SELECT now64(9), p.1, p.2, '{{', {attributes}"
            f" FROM (SELECT arrayJoin([{ids}]) AS p)"
        )
        return tuple(settled.frame(f"SELECT count() AS n FROM {table}")["n"][0] for table in ("span_rows", "log_rows"))  # type: ignore[return-value]

    assert in_worker(kept) == (1, 4)
