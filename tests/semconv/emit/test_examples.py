"""The examples run as a reader runs them, and what they send says who did what on whose authority."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.semconv.emit.conftest import Sink

EXAMPLES = ROOT / "docs" / "examples"
ASKED, ANSWERED = "actorscope.approval.request", "actorscope.approval.resolution"


def run(example: str, framework: str, sink: Sink) -> list[tuple[str, dict[str, Any], Any]]:
    pytest.importorskip(framework, reason=f"{framework} is not installed: pip install 'actorscope[examples]'")
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "LANGSMITH_TRACING": "false"}
    command = [sys.executable, str(EXAMPLES / example)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "telemetry failed" not in done.stderr
    return sink.found()


def one(found: list[tuple[str, dict[str, Any], Any]], name: str, **values: Any) -> tuple[dict[str, Any], Any]:
    hits = [(said, item) for n, said, item in found if n == name and values.items() <= said.items()]
    assert len(hits) == 1, f"{len(hits)} of {name}"
    return hits[0]


def approved(found: list[tuple[str, dict[str, Any], Any]], tool: str) -> str:
    """The id of the approval that was asked for, given by a person, and used by the action."""
    asked, _ = one(found, ASKED)
    answered, _ = one(found, ANSWERED)
    assert asked["actorscope.approval.id"] == answered["actorscope.approval.id"]
    assert (answered["actorscope.approval.status"], answered["actorscope.approval.approver.type"]) == (
        "approved",
        "human",
    )
    return str(asked["actorscope.approval.id"])


def test_pydantic_ai(sink: Sink) -> None:
    found = run("pydantic_ai_refunds.py", "pydantic_ai", sink)
    assert len({item.trace_id for _, _, item in found}) == 1
    handed, tool = one(found, "execute_tool hand_over", **{"actorscope.operation.name": "delegate"})
    assert handed["actorscope.delegation.delegate.name"] == "refunds"
    assert handed["actorscope.delegation.scope.granted"] == ["order:read", "refund:create"]
    principal = "spiffe://example.org/agent/refunds"
    delegate, run_ = one(found, "invoke_agent refunds", **{"actorscope.agent.principal.id": principal})
    assert run_.parent_span_id == tool.span_id
    assert delegate["actorscope.delegation.id"] == handed["actorscope.delegation.id"]
    assert delegate["actorscope.delegation.chain"] == ["user:7f3a", "spiffe://example.org/agent/triage", principal]
    acted, _ = one(found, "execute_tool refund")
    assert acted["actorscope.action.idempotency.digest"].startswith("sha256:")
    assert acted["actorscope.approval.id"] == approved(found, "refund")
    asked, _ = one(found, ASKED)
    assert acted["actorscope.action.input.digest"] == asked["actorscope.approval.action.digest"]
    models = [said for name, said, item in found if name.startswith("chat ") and hasattr(item, "parent_span_id")]
    assert len(models) == 4
    assert len({said["actorscope.execution.id"] for said in (*models, handed, delegate, acted)}) == 1
    ended = [item.span_id for _, _, item in found if hasattr(item, "parent_span_id")]
    started = [item.span_id for name, _, item in found if name == "actorscope.span.start"]
    assert set(started) <= set(ended) and len(started) >= 8


def test_langgraph(sink: Sink) -> None:
    found = run("langgraph_handoff.py", "langgraph", sink)
    handed, _ = one(found, "delegate research")
    assert (handed["actorscope.delegation.mode"], handed["actorscope.delegation.scope.granted"]) == (
        "pass_control",
        ["mail:send"],
    )
    acted, _ = one(found, "execute_tool send_mail")
    assert acted["actorscope.delegation.id"] == handed["actorscope.delegation.id"]
    assert acted["actorscope.delegation.chain"] == ["user:7f3a", "triage-client", "research-client"]
    assert acted["actorscope.approval.id"] == approved(found, "send_mail")
    assert {"actorscope.action.idempotency.digest", "actorscope.authz.scope.used"} <= acted.keys()
    decided, _ = one(found, "actorscope.decision")
    assert (decided["actorscope.decision.chosen"], decided["gen_ai.agent.name"]) == ("research", "triage")
    runs = [said for name, said, item in found if name == "invoke_agent research" and hasattr(item, "parent_span_id")]
    assert len(runs) == 2 and {said["actorscope.execution.id"] for said in runs} == {"run_langgraph_example"}


def test_openai_agents(sink: Sink) -> None:
    found = run("openai_agents_approval.py", "agents", sink)
    handed, _ = one(found, "delegate billing")
    assert handed["actorscope.delegation.chain"] == ["user:7f3a", "support", "billing"]
    acted, _ = one(found, "execute_tool cancel_order")
    assert acted["actorscope.action.side_effect"] == "destructive" and "actorscope.action.idempotency.digest" in acted
    asked, _ = one(found, ASKED)
    assert (
        approved(found, "cancel_order")
        and acted["actorscope.action.input.digest"] == asked["actorscope.approval.action.digest"]
    )
    support, _ = one(found, "invoke_agent support")
    assert (support["actorscope.agent.principal.id"], support["actorscope.delegation.root.id"]) == (
        "support",
        "user:7f3a",
    )


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_fits_a_screen_or_two(example: str) -> None:
    assert len((EXAMPLES / example).read_text().splitlines()) < 90
