"""The built Collector with the ready pipeline: OpenTelemetry SDK in, Actorscope out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from tests.collector.collector import KEY, Collector
from tests.e2e.harness import Program, until

pytestmark = pytest.mark.e2e
_FACTS = "s.dialect, s.operation, s.operation_basis, s.actor_name, s.conversation_id, s.tool_name, s.model, s.error_type"
_DONE = "a.arguments, a.result, a.side_effect, a.side_effect_basis, a.input_digest, c.provider, c.input_tokens, c.output_tokens"
_SECRETS = ("Bertha", "hunter2", "8841", "refunded at once")
_CONTENT = "processors: {actorscope: {content: %s, fingerprint_key: '" + KEY + "'}}\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("actorscope") / "data") as started:
        yield started


def story(where: dict[str, Any], service: str, runs: int = 1) -> None:
    """Runs of an agent in the words of OpenInference: the run, a model call and a tool call."""
    provider = TracerProvider(resource=Resource({"service.name": service, "host.name": "desk-1"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(where["grpc"], insecure=True, timeout=30)))
    tracer, other = provider.get_tracer("openinference.instrumentation.crewai"), provider.get_tracer("opentelemetry.instrumentation.wsgi")
    for number in range(runs):
        agent = {
            "openinference.span.kind": "AGENT",
            "agent.name": "refunds",
            "session.id": f"c-{number}",
            "input.value": "Pay Bertha back, her password is hunter2",
        }
        chat = {
            **{"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.provider": "openai"},
            **{"llm.token_count.prompt": 800, "llm.token_count.completion": 40, "output.value": "Bertha is refunded at once"},
        }
        tool = {
            **{"openinference.span.kind": "TOOL", "tool.name": "send_refund"},
            **{"input.value": json.dumps({"order": "8841", "to": "bertha@example.com"}), "output.value": "refunded at once"},
        }
        with tracer.start_as_current_span("refunds", attributes=agent):
            with tracer.start_as_current_span("ChatOpenAI", attributes=chat):
                pass
            with tracer.start_as_current_span("send_refund", attributes=tool):
                pass
        with other.start_as_current_span("GET /health", attributes={"http.request.method": "GET"}):
            pass
        if number % 100 == 99:
            provider.force_flush(60_000)
    provider.force_flush(60_000)
    provider.shutdown()


def _count(program: Program, service: str) -> int:
    return int(program.sql(f"SELECT count() FROM spans WHERE service_name = '{service}'")[0][0])


def _facts(program: Program, service: str) -> list[list[Any]]:
    """What is known of each span, after analysis has seen it."""
    program.settle(0)
    joined = "spans AS s LEFT JOIN actions AS a USING (trace_id, span_id) LEFT JOIN model_calls AS c USING (trace_id, span_id)"
    return program.sql(f"SELECT s.name, {_FACTS}, {_DONE} FROM {joined} WHERE s.service_name = '{service}' ORDER BY s.start_time, s.name")


def _attributes(program: Program, service: str) -> dict[str, dict[str, str]]:
    rows = program.sql(f"SELECT name, attributes FROM spans WHERE service_name = '{service}'")
    return {name: json.loads(said) if isinstance(said, str) else dict(said) for name, said in rows}


def test_facts_are_those_that_actorscope_finds_itself(program: Program, tmp_path: Path) -> None:
    with Collector(tmp_path, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        story(collector.where, "through")
        story(program.where, "straight")
        until(lambda: _count(program, "through") == _count(program, "straight") == 4, "both are stored")
        assert _facts(program, "through") == _facts(program, "straight")
        found = _attributes(program, "through")
        assert found["refunds"]["gen_ai.agent.name"] == found["refunds"]["agent.name"] == "refunds"
        assert "actorscope.edge.dialect" in found["send_refund"] and "actorscope.edge.dialect" not in found["GET /health"]
        assert collector.counted("otelcol_processor_actorscope_records") == 4


def test_logs_pass_too(program: Program, tmp_path: Path) -> None:
    before = program.get("/api/health")["logs_stored"]
    with Collector(tmp_path, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        provider = LoggerProvider(resource=Resource({"service.name": "logs"}))
        provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(collector.where["grpc"], insecure=True)))
        provider.get_logger("t").emit(event_name="gen_ai.client.inference.operation.details", attributes={"gen_ai.operation.name": "chat"})
        provider.shutdown()
        until(lambda: program.get("/api/health")["logs_stored"] == before + 1, "the record is stored")


@pytest.mark.parametrize("mode", ["fingerprint", "drop"])
def test_no_text_leaves_the_host(program: Program, tmp_path: Path, mode: str) -> None:
    with Collector(tmp_path, more=_CONTENT % mode, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        story(collector.where, f"hidden-{mode}")
        until(lambda: _count(program, f"hidden-{mode}") == 4, "the spans are stored")
    found = json.dumps([_facts(program, f"hidden-{mode}"), _attributes(program, f"hidden-{mode}")])
    assert [secret for secret in _SECRETS if secret in found] == []
    tool = _attributes(program, f"hidden-{mode}")["send_refund"]
    assert tool["actorscope.edge.content"] == {"fingerprint": "fingerprinted", "drop": "dropped"}[mode]
    assert "hmac-sha256:" in tool["actorscope.action.targets"] and tool["actorscope.action.input.digest"].startswith("sha256:")
    assert ("gen_ai.tool.call.arguments" in tool) == (mode == "fingerprint")


def test_two_collectors_in_a_row_do_it_once(program: Program, tmp_path: Path) -> None:
    with Collector(tmp_path / "second", ACTORSCOPE_ENDPOINT=program.where["grpc"]) as second:
        with Collector(tmp_path / "first", ACTORSCOPE_ENDPOINT=second.where["grpc"]) as first:
            story(first.where, "twice")
            until(lambda: _count(program, "twice") == 4, "the spans are stored")
        with Collector(tmp_path / "one", ACTORSCOPE_ENDPOINT=program.where["grpc"]) as one:
            story(one.where, "once")
            until(lambda: _count(program, "once") == 4, "the spans are stored")
    assert _facts(program, "twice") == _facts(program, "once")
    assert _attributes(program, "twice") == _attributes(program, "once")


def test_two_processors_in_one_pipeline_do_it_once(program: Program, tmp_path: Path) -> None:
    more = (
        "processors: {actorscope/again: {}}\n"
        "service: {pipelines: {traces: {processors: [memory_limiter, actorscope, actorscope/again]}}}\n"
    )
    with Collector(tmp_path, more=more, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        story(collector.where, "doubled")
        until(lambda: _count(program, "doubled") == 4, "the spans are stored")
    story(program.where, "undoubled")
    until(lambda: _count(program, "undoubled") == 4, "the spans are stored")
    assert _facts(program, "doubled") == _facts(program, "undoubled")
