"""From process to process, and what is done with baggage that should not be believed."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context
from tests.semconv.emit.conftest import Told

from actorscope import semconv
from actorscope.semconv.emit.carried import Carried, read

SENT = Carried("run_1", "dlg_1", 1, "user:7", "task-1", ("user:7", "spiffe://e/a"))


def send(**more: Any) -> dict[str, str]:
    headers: dict[str, str] = dict(more)
    with semconv.execution("run_1"), semconv.agent("user:7", new_span=True):
        with semconv.delegate("spiffe://e/a", task_id="task-1", id="dlg_1"):
            semconv.inject(headers)
    return headers


def test_headers_carry_trace_and_delegation(told: Told) -> None:
    headers = send(accept="*/*")
    assert set(headers) == {"accept", "traceparent", "baggage"}
    context = semconv.extract(headers, Context())
    assert read(context) == SENT
    with semconv.attached(context), semconv.agent("a", id="spiffe://e/a"), semconv.delegate("b"):
        assert read().chain == ("user:7", "spiffe://e/a", "b")
    received, sent = told.spans("invoke_agent a")[0], told.spans("delegate spiffe://e/a")[0]
    assert received.parent and received.parent.span_id == sent.context.span_id
    assert told.span("invoke_agent a")["actorscope.delegation.id"] == "dlg_1"
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize("form", [str.upper, str.title, lambda name: name.encode()])
def test_headers_arrive_in_any_form(told: Told, form: Any) -> None:
    headers = {form(key): [value.encode()] for key, value in send().items()}
    assert read(semconv.extract(headers, Context())) == SENT


def test_mcp_carries_it_in_the_meta_of_params(told: Told) -> None:
    shared = {"progressToken": 1}
    params: dict[str, Any] = {"name": "t", "_meta": shared}
    with semconv.delegate("b", id="dlg_9"):
        semconv.inject_mcp(params)
    assert set(params["_meta"]) == {"progressToken", "traceparent", "baggage"} and shared == {"progressToken": 1}
    assert read(semconv.extract_mcp(params, Context())).delegation_id == "dlg_9"
    assert read(semconv.extract_mcp({"name": "t"}, Context())) == Carried()


def test_a2a_carries_it_in_metadata_and_its_task_is_the_task(told: Told) -> None:
    message: dict[str, Any] = {"messageId": "m", "taskId": "task-77"}
    with semconv.delegate("b", id="dlg_9", task_id="other"):
        semconv.inject_a2a(message)
    found = read(semconv.extract_a2a(message, Context()))
    assert (found.delegation_id, found.task_id) == ("dlg_9", "task-77")


def test_strangers_get_and_give_no_baggage_of_ours(told: Told) -> None:
    headers = send()
    headers["baggage"] += ",tenant=acme"
    with semconv.execution("mine"):
        context = semconv.extract(headers, trusted=False)
        assert read(context) == Carried("mine") and baggage.get_baggage("tenant", context) == "acme"
        assert trace.get_current_span(context).get_span_context().is_remote
        out: dict[str, str] = {}
        with semconv.outside():
            semconv.inject(out)
        assert "baggage" not in out and read().execution_id == "mine"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("execution.id", "x" * 513), ("delegation.id", "a\nb"), ("delegation.depth", "-1"), ("delegation.depth", "²"),
        ("delegation.depth", "1e3"), ("delegation.depth", "99999"), ("delegation.depth", ""), ("delegation.root.id", "\x00"),
        ("delegation.chain", ",".join("ab" for _ in range(65))), ("delegation.chain", "a,,b"), ("delegation.chain", "a,b%0Ac"),
        ("delegation.chain", "a" * 4000), ("delegation.task.id", 7),
    ],
)  # fmt: skip
def test_baggage_that_is_malformed_is_left_out(told: Told, key: str, value: Any) -> None:
    context = baggage.set_baggage(f"actorscope.{key}", value)
    assert read(context) == Carried()


@pytest.mark.parametrize(
    "headers",
    [{}, {"traceparent": "junk"}, {"baggage": "%%%=;,"}, {"baggage": None}, {"traceparent": []}, {b"baggage": b"\xff=\xfe"}, {1: 2}]
)  # fmt: skip
def test_carriers_that_make_no_sense_raise_nothing(told: Told, headers: Any) -> None:
    assert read(semconv.extract(headers, Context())) == Carried()


def test_a_carrier_that_cannot_be_written_raises_nothing(told: Told) -> None:
    with semconv.delegate("b"):
        semconv.inject(None)  # type: ignore[arg-type]
        semconv.inject_mcp(None)  # type: ignore[arg-type]
