"""What log records say of spans: which span they mean, and that the span itself comes first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.make import BASE, Made, Row, spans

from actorscope.analysis.told import told

TREE = """
- trace: t
  spans:
    - agent: bot
      children: [{chat: x, response: r1}, {chat: x, response: r2}, {chat: x, response: r2}, {tool: send, tool_call_id: k1}, {tool: send}]
- {trace: u, spans: [{chat: x, response: r1}]}
"""
FACTS = {
    "response_id": pl.String, "tool_call_id": pl.String, "state": pl.String, "tool_calls": pl.String, "agent_name": pl.String,
    "approval_status": pl.String, "input_tokens": pl.UInt64, "replayed": pl.Boolean, "scope_used": pl.List(pl.String),
}  # fmt: skip


def joined(*logs: tuple[str, dict[str, Any]], made: Made | None = None) -> dict[str, Row]:
    """The spans of TREE after log records (place, facts), one second apart."""
    made = made or spans(TREE)
    rows = [
        {
            "trace_id": made.places[place][0],
            "span_id": made.places[place][1],
            "time": BASE + timedelta(seconds=n),
            **dict.fromkeys(FACTS),
            **facts,
        }
        for n, (place, facts) in enumerate(logs)
    ]
    schema = {"trace_id": pl.String, "span_id": pl.String, "time": pl.Datetime("ns", "UTC"), **FACTS}
    frame, records = made.frame().drop("answered_at"), pl.DataFrame(rows, schema=schema)
    found = told(frame, records)
    assert found.columns == [*frame.columns, "answered_at"]
    assert_frame_equal(found, told(frame, records.reverse()))
    return made.named(found)


def test_a_record_adds_to_the_span_it_names_what_that_does_not_say() -> None:
    found = joined(
        ("t/send", {"approval_status": "approved", "input_tokens": 7, "replayed": True, "scope_used": ["a"]})
    )
    send, bot = found["t/send"], found["t/bot"]
    assert [send[c] for c in ("approval_status", "input_tokens", "replayed", "scope_used")] == [
        "approved",
        7,
        True,
        ["a"],
    ]
    assert bot["approval_status"] is None and bot["scope_used"] == []


def test_what_the_span_itself_says_stays() -> None:
    made = spans(
        "- {trace: t, spans: [{agent: bot, approval_status: pending, scope_used: [own], input_tokens: 0, replayed: false}]}"
    )
    said = (
        "t/bot",
        {
            "agent_name": "other",
            "approval_status": "approved",
            "scope_used": ["told"],
            "input_tokens": 9,
            "replayed": True,
        },
    )
    bot = joined(said, made=made)["t/bot"]
    assert [bot[c] for c in ("agent_name", "approval_status", "scope_used", "input_tokens", "replayed")] == [
        "bot",
        "pending",
        ["own"],
        0,
        False,
    ]


@pytest.mark.parametrize(("key", "value", "meant"), [("response_id", "r1", "t/chat"), ("tool_call_id", "k1", "t/send")])
def test_a_record_with_the_id_of_a_call_means_that_call_of_its_trace(key: str, value: str, meant: str) -> None:
    found = joined(("t/bot", {key: value, "approval_status": "x"}))
    assert [name for name, row in found.items() if row["approval_status"]] == [meant]


def test_an_id_that_two_spans_have_means_neither() -> None:
    found = joined(("t/bot", {"response_id": "r2", "approval_status": "x"}))
    assert [name for name, row in found.items() if row["approval_status"]] == ["t/bot"]


def test_of_several_records_the_earliest_counts_for_each_fact() -> None:
    found = joined(
        ("t/send#2", {"approval_status": "first"}), ("t/send#2", {"approval_status": "second", "tool_calls": "[]"})
    )
    assert (found["t/send#2"]["approval_status"], found["t/send#2"]["tool_calls"]) == ("first", "[]")


def test_the_answer_to_a_request_for_approval_counts_before_the_request() -> None:
    found = joined(
        ("t/send#2", {"approval_status": "pending"}), ("t/send#2", {"approval_status": "approved"}),
        ("t/send", {"approval_status": "pending"}),
    )  # fmt: skip
    answered, open_ = found["t/send#2"], found["t/send"]
    assert (answered["approval_status"], answered["answered_at"]) == ("approved", BASE + timedelta(seconds=1))
    assert (open_["approval_status"], open_["answered_at"]) == ("pending", None)


def test_a_record_of_an_unknown_span_and_no_record_at_all_do_no_harm() -> None:
    made = spans(TREE)
    made.places["gone"] = ("f" * 32, "f" * 16)
    plain = joined()
    assert joined(("gone", {"approval_status": "x"}), made=made) == plain
