"""Small traces for the end-to-end tests, sent with the OpenTelemetry SDK as a user would."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor


def provider(where: dict[str, Any], service: str = "shop", over_http: bool = False) -> TracerProvider:
    """A tracer provider that exports each span when it ends."""
    made = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = HttpExporter(f"{where['http']}/v1/traces") if over_http else GrpcExporter(where["grpc"], insecure=True)
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


def double_refund(tracers: TracerProvider, order: str = "A-1", conversation: str = "c-1") -> str:
    """An agent pays the same refund twice in one run; returns the trace id."""
    tracer = tracers.get_tracer("story")
    asked = [{"role": "user", "parts": [{"type": "text", "content": f"Please refund order {order}"}]}]
    run = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "refunds",
        "gen_ai.conversation.id": conversation,
        "user.id": "u-1",
        "gen_ai.input.messages": json.dumps(asked),
    }
    call = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "issue_refund",
        "gen_ai.tool.call.arguments": json.dumps({"order": order, "amount": 12.5}),
    }
    with tracer.start_as_current_span("invoke_agent refunds", attributes=run) as root:
        for _ in range(2):
            with tracer.start_as_current_span("execute_tool issue_refund", attributes=call):
                pass
    return format(root.get_span_context().trace_id, "032x")
