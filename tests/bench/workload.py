"""Agent-shaped traces as serialised OTLP requests: 512 spans a request, 15 attributes a span, 580 bytes, deterministic."""

from __future__ import annotations

import base64
import json
import random
import re
import struct
from collections.abc import Iterator

import numpy as np
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SPANS_PER_REQUEST = 512
_SERVICES = [f"svc-{letter}" for letter in "abcdefgh"]
_TOOLS = ["search_docs", "fetch_page", "run_sql", "send_report", "get_order", "issue_refund"]
_MODELS = ["gpt-4.1", "gpt-4o-mini", "claude-sonnet-4-5"]
_AGENTS = ["coordinator", "researcher", "analyst", "writer", "triage", "billing"]
Value = str | int | float | bool | list[str]
_START = 1_790_000_000_000_000_000


def attributes(values: dict[str, Value]) -> list[KeyValue]:
    """Attributes of a span or a resource."""
    made = []
    for key, value in values.items():
        if isinstance(value, list):
            names = ArrayValue(values=[AnyValue(string_value=name) for name in value])
            made.append(KeyValue(key=key, value=AnyValue(array_value=names)))
            continue
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


def _agent(rng: random.Random, name: str, kinds: int, to: str) -> dict[str, Value]:
    work = f"Work on ticket {rng.randrange(10**6)}" + (f" of {to}" if to else "")
    asked = [{"role": "user", "parts": [{"type": "text", "content": work}]}]
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": json.dumps(asked),
        "user.id": f"u-{rng.randrange(5000)}",
        **({"actorscope.task.kind": f"kind-{rng.randrange(kinds)}"} if kinds else {"app.a": "x"}),
        "app.b": 1,
        "app.c": True,
    }


def _chat(rng: random.Random, name: str, kinds: int, to: str) -> dict[str, Value]:
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


def _tool(rng: random.Random, name: str, kinds: int, to: str) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.agent.name": name,
        "gen_ai.tool.name": rng.choice(_TOOLS),
        "gen_ai.tool.call.id": f"call_{rng.randrange(10**12)}",
        "gen_ai.tool.call.arguments": json.dumps({"id": rng.randrange(10**9), "limit": 5} | ({"to": to} if to else {})),
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.result": "ok",
        "app.retry": 0,
    }


_KINDS = {"chat": _chat, "tool": _tool, "agent": _agent}


def _trace(rng: random.Random, number: int, variety: int) -> list[Span]:
    """One run: an agent, its model calls and tool calls, some delegation."""
    agents = [f"{name}-{n}" for name in _AGENTS for n in range(variety)] or _AGENTS
    trace_id, at = rng.randbytes(16), _START + number * 40_000_000
    to = f"customer{rng.randrange(10**4)}@shop{rng.randrange(10)}.example" if variety else ""
    conversation, agent = f"conv-{rng.randrange(10**9)}", rng.choice(agents)
    spans: list[Span] = []
    stack = [b""]
    for _ in range(rng.randint(12, 60)):
        at += rng.randrange(1_000_000, 80_000_000)
        kind = rng.choices(("chat", "tool", "agent"), (5, 6, 1))[0] if spans else "agent"
        agent = rng.choice(agents) if kind == "agent" else agent
        span = Span(
            trace_id=trace_id, span_id=rng.randbytes(8), parent_span_id=stack[-1], name=f"{kind} {agent}", kind=1
        )
        span.start_time_unix_nano, span.end_time_unix_nano = at, at + rng.randrange(10**6, 10**9)
        named = to if kind == "tool" or not spans else ""
        span.attributes.extend(attributes(_common(rng, conversation) | _KINDS[kind](rng, agent, variety, named)))
        if rng.random() < 0.03:
            span.status.CopyFrom(Status(code=2, message="upstream timed out"))
            span.events.add(name="exception", time_unix_nano=at).attributes.extend(
                attributes({"exception.type": "TimeoutError"})
            )
        spans.append(span)
        if kind == "agent" and len(stack) < 20:
            stack.append(span.span_id)
    return spans


def requests(spans: int, seed: int = 1, variety: int = 0) -> Iterator[bytes]:
    """Serialised requests with `spans` spans in all; traces cross the borders of requests as they do in life.

    With `variety` there are so many times more agents, as many kinds of tasks, and tools act on thousands of
    addresses that are named in the requests.
    """
    rng = random.Random(seed)
    waiting: list[tuple[str, Span]] = []
    number = sent = 0
    while sent < spans:
        while len(waiting) < SPANS_PER_REQUEST:
            service = rng.choice(_SERVICES)
            waiting += [(service, span) for span in _trace(rng, number, variety)]
            number += 1
        batch, waiting = waiting[:SPANS_PER_REQUEST], waiting[SPANS_PER_REQUEST:]
        request = ExportTraceServiceRequest()
        for service in dict.fromkeys(name for name, _ in batch):
            resource = request.resource_spans.add()
            resource.resource.attributes.extend(
                attributes({"service.name": service, "host.name": "agents-1", "telemetry.sdk.language": "python"})
            )
            resource.scope_spans.add().spans.extend(span for name, span in batch if name == service)
        sent += len(batch)
        yield bytes(request.SerializeToString())


_OWN = re.compile(rb'(?:conv-|resp-|call_|ticket |"id": )\d(\d+)')
"""Numbers that name a conversation, a call, a request or what a call is about; the first digit stays, so that JSON stays JSON."""
_MOST_DIGITS = 16


class Rounds:
    """The same requests again and again, each round with ids of its own and later by what one round lasts.

    Making spans takes longer than taking them in: only so can a load go on for minutes. No round does what another one
    did: conversations, requests and arguments are its own too, else analysis would rightly find everything repeated.
    """

    def __init__(self, spans: int, variety: int = 0, apart: float = 0) -> None:
        """`apart`: seconds from the beginning of one round to that of the next, by default what it lasts."""
        self._bodies = list(requests(spans, variety=variety))
        self._apart = round(apart * 10**9) or len(self._bodies) * 600_000_000
        self._places = [_places(body) for body in self._bodies]
        self._number = 0

    def first(self, count: int) -> list[bytes]:
        """Some requests as they were made."""
        return self._bodies[:count]

    def take(self, spans: int) -> Iterator[bytes]:
        """Requests with `spans` spans that were not taken before."""
        for _ in range(spans // SPANS_PER_REQUEST):
            round_, index = divmod(self._number, len(self._bodies))
            self._number += 1
            yield self._vary(index, round_)

    def _vary(self, index: int, number: int) -> bytes:
        body, rng = np.frombuffer(self._bodies[index], np.uint8).copy(), np.random.default_rng(number)
        traces, ids, times, digits, columns = self._places[index]
        body[traces] ^= rng.integers(1, 256, 16, np.uint8)
        body[ids] ^= rng.integers(1, 256, 8, np.uint8)
        later = body[times].view("<u8") + np.uint64(number * self._apart)
        body[times] = later.view(np.uint8)
        shift = rng.integers(0, 10, _MOST_DIGITS, np.uint8)
        body[digits] = (body[digits] - 48 + shift[columns]) % 10 + 48
        return body.tobytes()


def _places(body: bytes) -> tuple[np.ndarray, ...]:
    """Where trace ids, span and parent ids, and times stand, a row of byte numbers for each; where digits of `_OWN` stand,
    and the place of each in its number."""
    traces, ids, times = [], [], []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            at = body.index(b"\x0a\x10" + span.trace_id + b"\x12\x08" + span.span_id)
            traces.append(at + 2)
            ids += [at + 20, at + 30] if span.parent_span_id else [at + 20]
            start = body.index(b"\x39" + struct.pack("<Q", span.start_time_unix_nano), at)
            times += [start + 1, start + 10]
    digits = [(place, n) for found in _OWN.finditer(body) for n, place in enumerate(range(*found.span(1)))]
    rows = (np.add.outer(at, np.arange(width)) for at, width in ((traces, 16), (ids, 8), (times, 8)))
    return (*rows, *np.array(digits).T)


def as_json(body: bytes) -> bytes:
    """The request as OTLP/JSON, whose ids are hexadecimal."""
    request = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    for resource in request["resourceSpans"]:
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            for key in ("traceId", "spanId", "parentSpanId"):
                if key in span:
                    span[key] = base64.b64decode(span[key]).hex()
    return json.dumps(request).encode()
