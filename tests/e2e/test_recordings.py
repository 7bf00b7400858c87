"""What real frameworks really send goes in through `actorscope replay`, without a span lost."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conftest import RECORDINGS
from tests.e2e.harness import Program

from actorscope.cli.replay import read

pytestmark = pytest.mark.e2e
_NAMES = sorted(path.name.removesuffix(".traces.binpb.gz") for path in RECORDINGS.glob("*.traces.binpb.gz"))
_SPEAKING = {
    "openai_agents_openinference": {"tools": True},
    "langgraph_openinference": {"tools": True},
    "smolagents": {"tools": True},
    "agno": {"tools": True},
    "traceloop_sdk": {"tools": True},
    "langgraph_traceloop": {"tools": True},
    "openai_agents_traceloop": {"tools": True},
    "pydantic_ai_v6_otel": {"tools": True},
    "agent_framework": {"tools": True},
    "strands": {"tools": True},
    "mcp_sdk2": {"tools": False},
}
"""Recordings of the dialects that are mapped; the tools of `mcp_sdk2` run in another process."""


def _ids(name: str) -> Iterator[tuple[str, str]]:
    for recorded in read(RECORDINGS / f"{name}.traces.binpb.gz"):
        for rs in ExportTraceServiceRequest.FromString(recorded.body).resource_spans:
            for ss in rs.scope_spans:
                yield from ((span.trace_id.hex(), span.span_id.hex()) for span in ss.spans)


def _truth(name: str) -> dict[str, Any]:
    with gzip.open(RECORDINGS / f"{name}.truth.json.gz") as file:
        truth: dict[str, Any] = json.load(file)
    return truth


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """All recordings in one program, each traces file with its logs."""
    with Program(tmp_path_factory.mktemp("recordings") / "data") as started:
        files = [str(path) for path in sorted(RECORDINGS.glob("*.binpb.gz"))]
        done = started.command("replay", *files, "--endpoint", started.where["grpc"])
        assert done.returncode == 0, done.stderr
        started.settle(len({i for name in _NAMES for i in _ids(name)}))
        yield started


def _where(name: str) -> str:
    traces = ", ".join(f"'{trace}'" for trace in sorted({trace for trace, _ in _ids(name)}))
    return f"trace_id IN ({traces})"


@pytest.mark.parametrize("name", _NAMES)
def test_no_span_of_a_recording_is_lost_or_doubled(program: Program, name: str) -> None:
    rows = program.sql(f"SELECT trace_id, span_id FROM spans WHERE {_where(name)}")
    assert Counter(map(tuple, rows)) == Counter(set(_ids(name)))


@pytest.mark.parametrize("name", _SPEAKING)
def test_agents_tools_and_model_calls_are_those_that_happened(program: Program, name: str) -> None:
    truth = _truth(name)
    agents = {row[0] for row in program.sql(f"SELECT DISTINCT actor_name FROM agent_runs WHERE {_where(name)}")}
    assert set(truth["agents"]) <= agents
    calls, tokens = program.sql(f"SELECT count(), sum(input_tokens) FROM model_calls WHERE {_where(name)}")[0]
    assert abs(calls - truth["n_llm_calls_ok"]) <= 1, "openai_agents_openinference lost one span when it was recorded"
    assert tokens <= truth["tokens_total"]["input"], "no token is counted twice"
    if _SPEAKING[name]["tools"]:
        seen = Counter(row[0] for row in program.sql(f"SELECT tool_name FROM actions WHERE {_where(name)}"))
        really = Counter(execution["name"] for execution in truth["tool_executions"])
        assert all(seen[tool] >= count for tool, count in really.items()), (seen, really)


@pytest.mark.parametrize("name", ["openai_agents_openinference", "traceloop_sdk", "smolagents", "mcp_sdk2", "langgraph_openinference"])
def test_delegations_are_those_that_were_confirmed(program: Program, name: str) -> None:
    really = Counter({(e["from"], e["to"]): e["confirmed_count"] for e in _truth(name)["delegation_edges"]})
    seen = Counter(map(tuple, program.sql(f"SELECT delegator_name, delegate_name FROM delegations WHERE {_where(name)}")))
    assert set(really) <= set(seen)
    assert all(seen[edge] - count in (0, 1) for edge, count in really.items() if count), "the last one before a limit may count"
