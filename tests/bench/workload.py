"""Agent-shaped traces as serialised OTLP requests: 512 spans a request, 15 attributes a span, deterministic."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SPANS_PER_REQUEST = 512
_SERVICES = [f"svc-{letter}" for letter in "abcdefgh"]
_TOOLS = ["search_docs", "fetch_page", "run_sql", "send_report", "get_order", "issue_refund"]
_MODELS = ["gpt-4.1", "gpt-4o-mini", "claude-sonnet-4-5"]
_AGENTS = ["coordinator", "researcher", "analyst", "writer", "triage", "billing"]
Value = str | int | float | bool
_START = 1_790_000_000_000_000_000


def _attributes(values: dict[str, Value]) -> list[KeyValue]:
    made = []
    for key, value in values.items():
        kind = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}[type(value)]
        made.append(KeyValue(key=key, value=AnyValue(**{kind: value})))
    return made


def _common(rng: random.Random, conversation: str) -> dict[str, Value]:
    return {
        "gen_ai.conversation.id": conversation,
        "server.address": f"10.0.0.{rng.randrange(16)}",
        "server.port": 443,
        "deployment.environment.name": "production",
        "thread.id": rng.randrange(64),
        "app.version": f"1.{rng.randrange(5)}.0",
        "app.tenant": f"tenant-{rng.randrange(200)}",
    }


def _agent(rng: random.Random, name: str) -> dict[str, Value]:
    asked = [{"role": "user", "parts": [{"type": "text", "content": f"Work on ticket {rng.randrange(10**6)}"}]}]
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": json.dumps(asked),
        "user.id": f"u-{rng.randrange(5000)}",
        "app.a": "x",
        "app.b": 1,
        "app.c": True,
    }


def _chat(rng: random.Random, name: str) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.agent.name": name,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": rng.choice(_MODELS),
        "gen_ai.response.id": f"resp-{rng.randrange(10**12)}",
        "gen_ai.usage.input_tokens": rng.randrange(50, 9000),
        "gen_ai.usage.output_tokens": rng.randrange(5, 900),
        "gen_ai.request.temperature": 0.2,
    }


def _tool(rng: random.Random, name: str) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.agent.name": name,
        "gen_ai.tool.name": rng.choice(_TOOLS),
        "gen_ai.tool.call.id": f"call_{rng.randrange(10**12)}",
        "gen_ai.tool.call.arguments": json.dumps({"id": rng.randrange(10**9), "limit": 5}),
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.result": "ok",
        "app.retry": 0,
    }


_KINDS = {"chat": _chat, "tool": _tool, "agent": _agent}


def _trace(rng: random.Random, number: int) -> list[Span]:
    """One run: an agent, its model calls and tool calls, some delegation."""
    trace_id, at = rng.randbytes(16), _START + number * 40_000_000
    conversation, agent = f"conv-{rng.randrange(10**9)}", rng.choice(_AGENTS)
    spans: list[Span] = []
    stack = [b""]
    for _ in range(rng.randint(12, 60)):
        at += rng.randrange(1_000_000, 80_000_000)
        kind = rng.choices(("chat", "tool", "agent"), (5, 6, 1))[0] if spans else "agent"
        agent = rng.choice(_AGENTS) if kind == "agent" else agent
        span = Span(
            trace_id=trace_id, span_id=rng.randbytes(8), parent_span_id=stack[-1], name=f"{kind} {agent}", kind=1
        )
        span.start_time_unix_nano, span.end_time_unix_nano = at, at + rng.randrange(10**6, 10**9)
        span.attributes.extend(_attributes(_common(rng, conversation) | _KINDS[kind](rng, agent)))
        if rng.random() < 0.03:
            span.status.CopyFrom(Status(code=2, message="upstream timed out"))
            span.events.add(name="exception", time_unix_nano=at).attributes.extend(
                _attributes({"exception.type": "TimeoutError"})
            )
        spans.append(span)
        if kind == "agent" and len(stack) < 20:
            stack.append(span.span_id)
    return spans


def requests(spans: int, seed: int = 1) -> Iterator[bytes]:
    """Serialised requests with `spans` spans in all; traces cross the borders of requests as they do in life."""
    rng = random.Random(seed)
    waiting: list[tuple[str, Span]] = []
    number = sent = 0
    while sent < spans:
        while len(waiting) < SPANS_PER_REQUEST:
            service = rng.choice(_SERVICES)
            waiting += [(service, span) for span in _trace(rng, number)]
            number += 1
        batch, waiting = waiting[:SPANS_PER_REQUEST], waiting[SPANS_PER_REQUEST:]
        request = ExportTraceServiceRequest()
        for service in dict.fromkeys(name for name, _ in batch):
            resource = request.resource_spans.add()
            resource.resource.attributes.extend(
                _attributes({"service.name": service, "host.name": "agents-1", "telemetry.sdk.language": "python"})
            )
            resource.scope_spans.add().spans.extend(span for name, span in batch if name == service)
        sent += len(batch)
        yield bytes(request.SerializeToString())
