"""What programs tell through our helpers, as the OTLP requests that an exporter would send; nothing leaves the process."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actorscope import semconv

CLAIMS = {
    "iss": "https://login.example.org",
    "sub": "user:7f3a",
    "jti": "token-1",
    "scope": "order:read mail:send",
    "act": {"sub": "my-agent-client"},
}


class Telling:
    """A program's OpenTelemetry, set up as `semconv.setup` does, with everything it tells kept in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, starts: bool = True) -> None:
        resource = Resource.create({"service.name": "desk"})
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self._starts = semconv.ActorscopeSpanProcessor(logger_provider=loggers) if starts else None
        if self._starts:
            tracers.add_span_processor(self._starts)
            # The thread that tells of starts ends with the test.
            weakref.finalize(monkeypatch, self._starts.shutdown)
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracers)
        monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", loggers)
        self.tracer = tracers.get_tracer("test")

    def chat(self, **attributes: Any) -> Any:
        """A call of a model as an official instrumentation tells it; a context that yields the span."""
        said = {"gen_ai.operation.name": "chat", **{k.replace("__", "."): v for k, v in attributes.items()}}
        return self.tracer.start_as_current_span("chat", attributes=said)

    def bodies(self) -> tuple[list[bytes], list[bytes]]:
        """The requests so far: traces, logs."""
        if self._starts:
            self._starts.force_flush()
        spans, logs = self._spans.get_finished_spans(), self._logs.get_finished_logs()
        return [encode_spans(spans).SerializeToString()], [encode_logs(logs).SerializeToString()]


def everything(telling: Telling) -> None:
    """Two agents that say all there is to say: triage lets refunds send a mail that a person approved."""
    claims = {**CLAIMS, "act": {"sub": "refunds-client", "act": {"sub": "triage-client"}}}
    triage, refunds = semconv.Principal.from_claims(CLAIMS), semconv.Principal.from_claims(claims)
    with (
        semconv.delegate("triage", scope=["order:read"]),
        semconv.execution("order-17", trigger="user", attempt=1, user_id="user:7f3a"),
        semconv.budget(0.5, "currency"),
        semconv.agent("triage", principal=triage, version="1", conversation_id="c1"),
    ):
        _chat(telling)
        with semconv.act("look_up", scope="order:read", side_effect="read", arguments={"order": 17}):
            pass
        with (
            semconv.execution("order-17", trigger="agent"),
            semconv.delegate("refunds", to_id=refunds.id, scope=["mail:send"]),
            semconv.agent("refunds", principal=refunds, version="1", conversation_id="c1"),
        ):
            _send_mail(telling)


def _send_mail(telling: Telling) -> None:
    _chat(telling)
    arguments = {"to": "user:7f3a"}
    with semconv.approve("send_mail", arguments=arguments) as approval:
        approval.resolve("approved", approver_type="human", approver_id="user:19bd")
    with semconv.act(
        "send_mail", scope="mail:send", resource=("mailbox", "m1"), side_effect="write", arguments=arguments,
        idempotency_key="mail-17", approval_id=approval.id,
    ):  # fmt: skip
        pass


def _chat(telling: Telling) -> None:
    said = {
        "gen_ai__response__model": "gpt-4o-mini",
        "gen_ai__usage__input_tokens": 90,
        "gen_ai__usage__output_tokens": 7,
    }
    with telling.chat(**said) as span:
        span.set_attribute("actorscope.cost.amount", 0.001)
