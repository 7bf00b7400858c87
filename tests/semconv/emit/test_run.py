"""What is said about runs: whose they are and which execution they belong to."""

from __future__ import annotations

import asyncio
import re

import pytest
from opentelemetry import baggage
from tests.semconv.emit.conftest import Told

from actorscope import semconv

RUN = "actorscope.execution.id"
REASON = "actorscope.execution.finish_reason"
MODE, PARENT = "actorscope.delegation.mode", "actorscope.delegation.parent.id"
GRANT = "actorscope.delegation.scope.granted"
TOKEN = {
    "iss": "https://login.example.org", "sub": "u-7", "scope": "refund:create order:read", "txn": "txn-1",
    "act": {"sub": "spiffe://e.org/refunds", "act": {"sub": "spiffe://e.org/triage"}},
}  # fmt: skip


def test_a_run_says_who_works(told: Told) -> None:
    with semconv.agent(
        "refunds", principal=semconv.Principal.from_spiffe("spiffe://e.org/refunds"), id="agent-1", version="3", kind="subagent",
        instance_id="i-1", blueprint_id="bp", owner_id="team:pay", owner_type="team", delegator_id="cron", delegator_type="system",
        task_kind="refund.review", conversation_id="c-1",
    ):  # fmt: skip
        pass
    assert told.span("invoke_agent refunds") == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "refunds",
        "gen_ai.agent.id": "agent-1",
        "gen_ai.agent.version": "3",
        "gen_ai.conversation.id": "c-1",
        "actorscope.agent.principal.id": "spiffe://e.org/refunds",
        "actorscope.agent.principal.type": "spiffe",
        "actorscope.agent.principal.issuer": "e.org",
        "actorscope.agent.kind": "subagent",
        "actorscope.agent.instance.id": "i-1",
        "actorscope.agent.blueprint.id": "bp",
        "actorscope.agent.owner.id": "team:pay",
        "actorscope.agent.owner.type": "team",
        "actorscope.delegation.delegator.id": "cron",
        "actorscope.delegation.delegator.type": "system",
        "actorscope.task.kind": "refund.review",
        REASON: "completed",
    }


def test_the_chain_of_a_token_is_stronger_than_that_of_baggage(told: Told) -> None:
    with semconv.agent("liar"), semconv.delegate("refunds"):
        with semconv.agent("refunds", principal=semconv.Principal.from_claims(TOKEN)), semconv.delegate("mailer"):
            chain = baggage.get_baggage("actorscope.delegation.chain")
            assert baggage.get_baggage("actorscope.delegation.task.id") == "txn-1"
    assert chain == "u-7,spiffe://e.org/triage,spiffe://e.org/refunds,mailer"
    said = told.span("invoke_agent refunds")
    assert said["actorscope.delegation.chain"] == tuple(chain.split(","))[:3]
    assert said["actorscope.delegation.depth"] == 2
    assert said["actorscope.delegation.root.id"] == "u-7"
    assert said["actorscope.delegation.delegator.id"] == "spiffe://e.org/triage"
    assert said[GRANT] == ("refund:create", "order:read")


def test_what_the_delegator_grants_is_nearer_than_a_token(told: Told) -> None:
    with semconv.delegate("refunds", scope="order:read"):
        with semconv.agent("refunds", principal=semconv.Principal.from_claims(TOKEN)):
            pass
    assert GRANT not in told.span("invoke_agent refunds")
    with semconv.delegate("a", scope="order:read"), semconv.delegate("b"):
        with semconv.agent("b", principal=semconv.Principal.from_claims(TOKEN)):
            pass
    assert told.span("invoke_agent b")[GRANT] == ("refund:create", "order:read"), "that grant was for a"


def test_the_delegate_repeats_how_the_work_was_handed_over(told: Told) -> None:
    with semconv.delegate("a", id="dlg_1"), semconv.agent("a"), semconv.delegate("b", mode="pass_control"):
        with semconv.agent("b"), semconv.agent("inner"):
            pass
    said = told.span("invoke_agent b")
    assert (said[MODE], said[PARENT]) == ("pass_control", "dlg_1")
    assert MODE not in told.span("invoke_agent inner"), "nobody handed anything to it"


@pytest.mark.parametrize(("name", "is_same"), [("a", True), ("b", False)])
def test_the_span_of_a_framework_is_added_to_when_it_is_the_agents(told: Told, name: str, is_same: bool) -> None:
    marks = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    with told.tracer.start_as_current_span("framework", attributes=marks), semconv.agent("a", kind="autonomous"):
        pass
    assert ("actorscope.agent.kind" in told.span("framework")) is is_same
    assert len(told.spans("invoke_agent a")) == (0 if is_same else 1)
    assert REASON not in told.span("framework"), "only the framework knows how its run ended"


def test_how_a_run_ends(told: Told) -> None:
    with semconv.agent("a") as run:
        run.finish("max_iterations")
    with pytest.raises(ValueError), semconv.agent("b"):
        raise ValueError
    with pytest.raises(asyncio.CancelledError), semconv.agent("c"):
        raise asyncio.CancelledError
    assert [told.span(f"invoke_agent {name}")[REASON] for name in "abc"] == ["max_iterations", "error", "cancelled"]


def test_an_execution_is_said_on_its_first_spans_and_its_id_on_all(told: Told) -> None:
    told.process()
    with semconv.execution(
        "run_1", trigger="retry", attempt=2, max_attempts=3, original_id="run_0", cause="tool_timeout",
        deadline="2026-11-20T10:05:00Z", task_kind="refund.review", user_id="u-7",
    ):  # fmt: skip
        with told.tracer.start_as_current_span("framework run"), told.tracer.start_as_current_span("call"):
            with semconv.agent("inner"):
                pass
    said = {
        RUN: "run_1",
        "actorscope.execution.trigger": "retry",
        "actorscope.execution.attempt": 2,
        "actorscope.execution.max_attempts": 3,
        "actorscope.execution.original.id": "run_0",
        "actorscope.execution.cause": "tool_timeout",
        "actorscope.execution.deadline": "2026-11-20T10:05:00Z",
        "actorscope.task.kind": "refund.review",
        "user.id": "u-7",
    }
    assert told.span("framework run") == said
    assert told.span("call") == {RUN: "run_1"}
    inner = told.span("invoke_agent inner")
    assert inner[RUN] == "run_1" and "actorscope.execution.attempt" not in inner
    with told.tracer.start_as_current_span("after"):
        pass
    assert told.span("after") == {}


def test_each_call_of_a_decorated_function_is_an_execution_unless_it_is_named(told: Told) -> None:
    @semconv.execution(trigger="schedule")
    @semconv.agent("nightly")
    def job() -> str:
        return str(baggage.get_baggage(RUN))

    first, second = job(), job()
    assert first != second and re.fullmatch(r"run_[0-9a-f]{20}", first)
    named = semconv.execution("run_1")(lambda: str(baggage.get_baggage(RUN)))
    assert (named(), named()) == ("run_1", "run_1")
    assert [dict(s.attributes or {})["actorscope.execution.trigger"] for s in told.spans()] == ["schedule"] * 2


def test_the_same_agent_said_again_keeps_its_principal(told: Told) -> None:
    me = semconv.Principal.from_spiffe("spiffe://example.org/agent/clerk")
    with semconv.agent("clerk", principal=me), semconv.agent("clerk", new_span=True), semconv.act("send_mail"):
        pass
    said = [dict(span.attributes or {})["actorscope.agent.principal.id"] for span in told.spans("invoke_agent clerk")]
    assert said == ["spiffe://example.org/agent/clerk"] * 2
