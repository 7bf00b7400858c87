"""Why something ran again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actorscope.analysis.reruns import CLASSES, rerun

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def run(trace: str, minutes: float = 0.0, **facts: Any) -> dict[str, Any]:
    start = NOON + timedelta(minutes=minutes)
    return {"trace_id": trace, "span_id": f"{trace}{minutes:g}", "start_time": start, "end_time": start + timedelta(seconds=20), **facts}


FIRST = run("a", cause_id="ask:1", conversation_id="c", execution_id="e1")


@pytest.mark.parametrize(
    ("kind", "basis", "earlier", "again"),
    [
        ("schedule", "declared", FIRST, {"trigger": "schedule"}),
        ("retry", "declared", FIRST, {"trigger": "retry"}),
        ("resume", "declared", FIRST, {"trigger": "resume"}),
        ("redelivery", "declared", FIRST, {"trigger": "replay"}),
        ("new request", "declared", FIRST, {"trigger": "compensation", "cause_id": "ask:1"}),
        ("redelivery", "declared", FIRST, {"execution_id": "e1"}),
        ("retry", "declared", {**FIRST, "is_error": True}, {"execution_id": "e2", "execution_original_id": "e1"}),
        ("retry", "declared", FIRST, {"execution_id": "e1", "attempt": 2}),
        ("resume", "declared", {**FIRST, "state": "waiting"}, {"execution_id": "e1"}),
        ("redelivery", "derived", FIRST, {"link_trace_ids": ["a"]}),
        ("upstream duplicate", "derived", FIRST, {"cause_id": "ask:1"}),
        ("retry", "derived", {**FIRST, "is_error": True}, {"cause_id": "ask:1"}),
        ("human", "declared", FIRST, {"cause_id": "ask:1", "trigger": "user"}),
        ("human", "inferred", FIRST, {"cause_id": "ask:2", "conversation_id": "c"}),
        ("redelivery", "derived", {**FIRST, "end_time": NOON + timedelta(hours=1)}, {"cause_id": "ask:1"}),
        ("new request", "derived", FIRST, {"cause_id": "ask:2", "conversation_id": "d"}),
        ("unknown", "inferred", FIRST, {}),
    ],
)
def test_one_earlier_run(kind: str, basis: str, earlier: dict[str, Any], again: dict[str, Any]) -> None:
    later = run("b", 30, **again)
    found = rerun(later, [later, earlier, run("z", 90, cause_id="ask:1")])
    assert (found.kind, found.basis) == (kind, basis) and found.why
    assert kind in CLASSES
    assert [(e.trace_id, e.role) for e in found.evidence] == [("a", "context: earlier run"), ("b", "run again")]


def test_the_same_trace() -> None:
    first, again = run("a", 0, cause_id="ask:1"), run("a", 1, cause_id="ask:1")
    assert rerun(again, [first]).kind == "self"
    assert rerun(again, [{**first, "is_error": True}]).kind == "retry"


def test_equal_intervals_are_a_schedule_that_nobody_declared() -> None:
    runs = [run(trace, 60.0 * n + n / 10, cause_id="ask:1") for n, trace in enumerate("abcd")]
    found = rerun(runs[-1], runs)
    assert (found.kind, found.basis) == ("schedule", "inferred")
    assert [e.trace_id for e in found.evidence] == list("abcd")
    shaken = [*runs[:-1], run("d", 260, cause_id="ask:1")]
    assert rerun(shaken[-1], shaken).kind == "upstream duplicate"


def test_what_nobody_did_before_is_new() -> None:
    assert rerun(FIRST, [FIRST, run("b", 5)]).kind == "new request"
