"""Log records give the same facts as spans by the same rules, and are stored behind the spans of their segment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.ingest import otlp

from actorscope.ingest.columns import BASIS, FACTS, LOGS
from actorscope.ingest.counters import Counters
from actorscope.ingest.decode import decode_logs
from actorscope.ingest.normalise import normalise_logs
from actorscope.ingest.spool import Spool, record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import Writer, log_rows

CALL = [{"id": "k", "type": "function", "function": {"name": "send", "arguments": '{"n": 1}'}}]


def facts(*records: Any) -> list[dict[str, Any]]:
    """The facts of records that are neither null nor empty."""
    rows = normalise_logs(decode_logs([otlp.logs(*records)])).to_pylist()
    return [{key: value for key, value in row.items() if value not in (None, "", [])} for row in rows]


def test_a_record_is_read_by_the_rules_of_its_dialect() -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r1", "gen_ai.usage.input_tokens": 7}
    [row] = facts(otlp.record("", attributes, event_name="gen_ai.client.inference.operation.details"))
    assert row == {
        "dialect": "otel_genai",
        "operation": "chat",
        "operation_basis": "declared",
        "response_id": "r1",
        "input_tokens": 7,
    }


def test_the_body_is_read_where_the_event_says_what_it_is() -> None:
    body, speaks = {"message": {"role": "assistant", "tool_calls": CALL}}, {"gen_ai.system": "openai"}
    told, other = facts(
        otlp.record(body, speaks, event_name="gen_ai.choice"), otlp.record(body, speaks, event_name="other")
    )
    assert json.loads(told["tool_calls"]) == [{"id": "k", "name": "send", "arguments": '{"n": 1}'}]
    assert "tool_calls" not in other


def test_a_record_of_nobody_says_nothing() -> None:
    assert facts(
        otlp.record("hello", {"http.method": "GET"}), otlp.record({"tool_calls": CALL}, event_name="gen_ai.choice")
    ) == [{}, {}]


def test_our_own_attributes_count_on_any_record() -> None:
    [row] = facts(otlp.record("", {"actorscope.approval.id": "ap", "actorscope.approval.status": "approved"}))
    assert row == {"dialect": "actorscope", "approval_id": "ap", "approval_status": "approved"}


def test_no_records_give_no_rows_and_all_columns() -> None:
    table = normalise_logs(decode_logs([]))
    assert table.num_rows == 0
    assert table.schema.names == ["dialect", *(name for name, _ in FACTS), *(name for name, _ in BASIS)]


def test_records_without_a_single_attribute_are_normalised() -> None:
    assert facts(otlp.record("a"), otlp.record(None), otlp.record({"deep": [1, {"x": None}]})) == [{}, {}, {}]


@pytest.mark.parametrize("body", ["text", 7, True, 1.5, b"\xff", [1, [2]], {"a": {"b": []}}, None])
def test_any_body_is_kept(body: Any) -> None:
    table = log_rows(
        "test", 1, [record_of("logs", otlp.logs(otlp.record(body, {"gen_ai.system": "x"}, event_name="gen_ai.choice")))]
    )
    assert table.schema == LOGS and table.num_rows == 1


def test_logs_are_numbered_behind_the_spans_of_their_segment(store: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    segment = spool.open_segment()
    logs = [otlp.logs(otlp.record("a", trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\1"), otlp.record("b"))]
    traces = [otlp.traces(otlp.span(1), otlp.span(2)), otlp.traces(otlp.span(3))]
    segment.append([record_of("logs", logs[0]), *(record_of("traces", body) for body in traces)])
    segment.close()
    writer = Writer(store, Spool(tmp_path), Counters())
    writer.start()
    writer.close()

    def rows(sql: str) -> list[Any]:
        return in_worker(lambda: store.frame(sql)).rows()

    first = rows("SELECT min(seq) FROM span_rows")[0][0]
    assert rows("SELECT seq FROM span_rows ORDER BY seq") == [(first,), (first + 1,), (first + 2,)]
    assert rows("SELECT seq, body FROM log_rows ORDER BY seq") == [(first + 3, "a"), (first + 4, "b")]
    arrived = rows("SELECT seq, is_log FROM arrivals ORDER BY seq")
    assert arrived == [(first, False), (first + 1, False), (first + 2, False), (first + 3, True)], (
        "a record without a trace is none"
    )


def test_the_same_request_twice_gives_equal_rows() -> None:
    record = record_of("logs", otlp.logs(otlp.record("a", {"gen_ai.system": "x"})))
    first, second = (log_rows("test", 1, [record]) for _ in range(2))
    assert first.equals(second)
    assert isinstance(first, pa.Table)
