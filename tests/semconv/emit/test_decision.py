"""What is said about decisions of agents and of policies."""

from __future__ import annotations

import pytest
from tests.semconv.emit.conftest import Told

from actorscope import semconv
from actorscope.semconv.emit.options import options

RATIONALE = "actorscope.decision.rationale"


def test_a_decision_is_told_once_with_its_agent(told: Told) -> None:
    with semconv.agent("triage"):
        made = semconv.decide(
            "route", "refunds", alternatives=["refunds", "reject"], source="model", confidence=0.8, rationale="private"
        )
    assert told.event("actorscope.decision") == {
        "gen_ai.agent.name": "triage",
        "actorscope.decision.id": made.id,
        "actorscope.decision.kind": "route",
        "actorscope.decision.chosen": "refunds",
        "actorscope.decision.alternatives": ("refunds", "reject"),
        "actorscope.decision.source": "model",
        "actorscope.decision.confidence": 0.8,
    }
    assert told.records()[0].span_id == told.spans()[0].context.span_id


def test_a_rationale_is_content(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "capture_content", True)
    semconv.decide("stop", "enough", rationale="it is done")
    assert told.event("actorscope.decision")[RATIONALE] == "it is done"


def test_a_block_or_a_function_can_decide(told: Told) -> None:
    @semconv.decide("tool_selection", source="rule")
    def pick(n: int) -> str | None:
        return "mail" if n else None

    assert (pick(1), pick(1), pick(0)) == ("mail", "mail", None)
    with semconv.decide("retry") as made:
        made.choose("again")
        made.choose("give up")
    with pytest.raises(ZeroDivisionError), semconv.decide("retry"):
        raise ZeroDivisionError
    chosen = [(said["actorscope.decision.kind"], said["actorscope.decision.chosen"]) for said in told.events()]
    assert chosen == [("tool_selection", "mail")] * 2 + [("retry", "again")]
    assert len({said["actorscope.decision.id"] for said in told.events()}) == 3


def test_a_refusal_is_told_where_no_action_exists(told: Told) -> None:
    claims = {"sub": "c", "client_id": "c", "jti": "j", "iss": "https://login.example.org"}
    with semconv.agent("refunds", principal=semconv.Principal.from_claims(claims)):
        semconv.authorize(
            "deny", "refund", action="refund.create", requested="refund:create", granted=["order:read"], resource=("order", "A"),
            reason="limit_exceeded", mode="enforce", policy_id="p1", policy_version="2", policy_engine="cedar", decision_id="d1",
            arguments={"order": "A"}, call_id="call_1",
        )  # fmt: skip
    said = told.event("actorscope.authz.decision")
    assert said == {
        "actorscope.authz.outcome": "deny",
        "actorscope.authz.action": "refund.create",
        "actorscope.authz.scope.requested": ("refund:create",),
        "actorscope.authz.scope.granted": ("order:read",),
        "actorscope.authz.resource.type": "order",
        "actorscope.authz.resource.id": "A",
        "actorscope.authz.reason": "limit_exceeded",
        "actorscope.authz.mode": "enforce",
        "actorscope.authz.policy.id": "p1",
        "actorscope.authz.policy.version": "2",
        "actorscope.authz.policy.engine": "cedar",
        "actorscope.authz.decision.id": "d1",
        "actorscope.action.input.digest": semconv.digest({"order": "A"}),
        "actorscope.agent.principal.id": "c",
        "actorscope.credential.id": "jti:j",
        "actorscope.credential.type": "oauth_access_token",
        "actorscope.credential.issuer": "https://login.example.org",
        "gen_ai.tool.name": "refund",
        "gen_ai.tool.call.id": "call_1",
    }
    assert "actorscope.authz.outcome" not in told.span("invoke_agent refunds")


def test_within_the_action_it_is_said_there_too(told: Told) -> None:
    with semconv.act("refund"):
        semconv.authorize("require_approval", granted="x", approval_id="apr_1")
    said = told.span("execute_tool refund")
    assert said["actorscope.authz.outcome"] == "require_approval"
    assert said["actorscope.authz.scope.granted"] == ("x",) and said["actorscope.approval.id"] == "apr_1"
