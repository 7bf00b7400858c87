"""The helpers and the backend together: what agents say with `actorscope.semconv` is what the views show."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from tests.conftest import ROOT
from tests.e2e.harness import Program, until

pytestmark = pytest.mark.e2e
_EXAMPLES = {
    "pydantic_ai_refunds.py": ("pydantic_ai", "pydantic-ai-example", "refund"),
    "langgraph_handoff.py": ("langgraph", "langgraph-example", "send_mail"),
    "openai_agents_approval.py": ("agents", "openai-agents-example", "cancel_order"),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("emitting") / "data") as started:
        yield started


def _run(program: Program, path: Path) -> None:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": program.where["http"], "LANGSMITH_TRACING": "false"}
    subprocess.run([sys.executable, str(path)], env=environment, check=True, timeout=120, capture_output=True)


@pytest.mark.parametrize("example", _EXAMPLES)
def test_an_example_is_understood(program: Program, example: str) -> None:
    framework, service, tool = _EXAMPLES[example]
    pytest.importorskip(framework, reason=f"{framework} is not installed: pip install 'actorscope[examples]'")
    before = program.sql("SELECT count() FROM spans")[0][0]
    _run(program, ROOT / "docs" / "examples" / example)
    program.settle(before + 3)
    where = f"trace_id IN (SELECT trace_id FROM spans WHERE service_name = '{service}')"
    until(lambda: program.sql(f"SELECT count() FROM approvals WHERE {where}")[0][0] > 0, "the approval is analysed")
    edges = program.sql(f"SELECT DISTINCT basis FROM delegations WHERE {where}")
    assert edges == [["declared"]], "who got the work is said, not guessed"
    approved = program.sql(f"SELECT status, approver_type, basis, action_span_id != '' FROM approvals WHERE {where}")
    assert approved == [["approved", "human", "declared", True]]
    [[effect, basis, digest, key]] = program.sql(
        "SELECT a.side_effect, a.side_effect_basis, a.input_digest, s.attributes['actorscope.action.idempotency.digest'] "
        f"FROM actions AS a INNER JOIN spans AS s ON s.span_id = a.span_id WHERE a.tool_name = '{tool}' AND a.approval_id != '' "
        f"AND a.trace_id IN (SELECT trace_id FROM spans WHERE service_name = '{service}')"
    )
    assert (effect, basis) == ("destructive" if tool == "cancel_order" else "write", "declared")
    assert digest.startswith("sha256:") and key.startswith("sha256:")
    known = f"NOT startsWith(actor_id, '{service}/')"  # a principal, not a name within the service
    assert program.sql(f"SELECT DISTINCT actor_basis FROM agent_runs WHERE {where} AND {known}") == [["declared"]]
    assert program.sql(f"SELECT name FROM open_spans WHERE {where}") == [], "what ended is not open"


def test_a_process_that_dies_leaves_its_runs_open(program: Program, tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text(
        dedent("""
        import os, time
        from actorscope import semconv
        semconv.setup("dying-desk", heartbeat_seconds=0.5)
        with semconv.agent("planner"), semconv.delegate("helper", scope="order:read"):
            time.sleep(3)
            os._exit(0)
        """)
    )
    _run(program, script)
    where = "service_name = 'dying-desk'"
    until(lambda: len(program.sql(f"SELECT name FROM open_spans WHERE {where}")) >= 1, "the open span is told")
    found = program.sql(
        f"SELECT name, actor_name, last_heartbeat_at > started_at FROM open_spans WHERE {where} ORDER BY started_at"
    )
    assert found[0] == ["invoke_agent planner", "planner", True]
    assert program.sql(f"SELECT count() FROM spans WHERE {where}") == [[0]]
