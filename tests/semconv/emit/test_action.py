"""What is said about an action."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.semconv.emit.conftest import Told

from actorscope import semconv
from actorscope.semconv.emit.digest import digest, of_key
from actorscope.semconv.emit.options import options

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund"}
INPUT, KEY = "actorscope.action.input.digest", "actorscope.action.idempotency.digest"


def test_an_action_says_what_it_does_and_never_its_content(told: Told) -> None:
    with semconv.act(
        "refund", scope="refund:create order:read", resource=("order", "A-17"), idempotency_key="key-1", side_effect="write",
        arguments={"order": "A-17", "amount": 12.5}, idempotent=True, external=False, approval_id="apr_1", decision_id="dec_1",
        call_id="call_1", attempt=2,
    ) as action:  # fmt: skip
        action.replayed()
    assert told.span("execute_tool refund") == {
        **TOOL,
        "gen_ai.tool.call.id": "call_1",
        "actorscope.action.id": action.id,
        INPUT: digest({"amount": 12.5, "order": "A-17"}),
        KEY: of_key("key-1"),
        "actorscope.action.side_effect": "write",
        "actorscope.action.idempotent": True,
        "actorscope.action.external": False,
        "actorscope.action.target.type": "order",
        "actorscope.action.target.id": "A-17",
        "actorscope.action.replayed": True,
        "actorscope.authz.scope.used": ("refund:create", "order:read"),
        "actorscope.approval.id": "apr_1",
        "actorscope.decision.id": "dec_1",
        "actorscope.execution.attempt": 2,
    }
    assert "key-1" not in told.spans()[0].to_json() and "12.5" not in told.spans()[0].to_json()


@pytest.mark.parametrize(
    "marks", [TOOL, {"openinference.span.kind": "TOOL", "tool.name": "refund"}, {"traceloop.span.kind": "tool"}]
)
def test_the_span_of_the_tool_call_carries_the_action(told: Told, marks: dict[str, str]) -> None:
    with told.tracer.start_as_current_span("framework", attributes=marks):
        with semconv.act("refund", side_effect="write"):
            pass
        with semconv.act("refund", side_effect="read"):
            pass
    assert told.span("framework")["actorscope.action.side_effect"] == "write"
    assert told.span("execute_tool refund")["actorscope.action.side_effect"] == "read", (
        "a second action has its own span"
    )


def test_another_tool_has_its_own_span(told: Told) -> None:
    with told.tracer.start_as_current_span("framework", attributes=TOOL), semconv.act("mail"):
        pass
    assert "actorscope.action.id" not in told.span("framework")
    assert told.spans("execute_tool mail")[0].parent


def test_a_decorated_tool_is_named_and_digested_by_its_call(told: Told) -> None:
    @semconv.act(side_effect="read")
    def look(order: str, limit: int = 10) -> str:
        return order

    @semconv.act("pay", digest_of=("order",), idempotency_key=lambda context, order: f"pay-{order}")
    async def pay(context: object, order: str) -> str:
        await asyncio.sleep(0)
        return order

    class Desk:
        @semconv.act()
        def close(self, ticket: int) -> None: ...

    assert look("A", limit=3) == "A" and asyncio.run(pay(object(), "B")) == "B"
    Desk().close(7)
    assert told.span("execute_tool look")[INPUT] == digest({"order": "A", "limit": 3})
    assert told.span("execute_tool pay")[INPUT] == digest({"order": "B"})
    assert told.span("execute_tool pay")[KEY] == of_key("pay-B")
    assert told.span("execute_tool close")[INPUT] == digest({"ticket": 7})


def test_arguments_that_are_no_json_have_no_digest_and_break_nothing(told: Told) -> None:
    @semconv.act()
    def tool(context: object, n: int) -> int:
        return n

    assert tool(object(), 1) == 1
    assert INPUT not in told.span("execute_tool tool")
    with pytest.raises(TypeError):
        tool()  # type: ignore[call-arg]
    failed = dict(told.spans("execute_tool tool")[1].attributes or {})
    assert failed["error.type"] == "TypeError"


def test_a_key_of_the_process_makes_digests_unguessable(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "digest_key", b"k")
    with semconv.act("t", arguments={"pin": 1234}, idempotency_key="x"), semconv.approve("t", arguments={"pin": 1234}):
        pass
    said = told.span("execute_tool t")
    assert said[INPUT] == digest({"pin": 1234}, key=b"k") != digest({"pin": 1234})
    assert said[KEY] == of_key("x", key=b"k")
    assert told.span("await_approval t")["actorscope.approval.action.digest"] == said[INPUT]


def test_an_action_names_the_credential_of_its_agent(told: Told) -> None:
    claims = {"sub": "spiffe://e.org/a", "exp": 2_000_000_000, "jti": "1"}
    with semconv.agent("a", principal=semconv.Principal.from_spiffe(claims)), semconv.act("t"):
        pass
    said: dict[str, Any] = told.span("execute_tool t")
    assert said["actorscope.credential.id"] == "jti:1"
    assert said["actorscope.credential.type"] == "jwt_svid"
    assert said["actorscope.credential.expires_at"] == "2033-05-18T03:33:20Z"
