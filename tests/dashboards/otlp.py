"""For tests only: OTLP bodies with chosen ids, names and times."""

from __future__ import annotations

import time
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

SECOND = 10**9
HOSTILE = (
    '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>',
    "[click](javascript:window.pwned=1) ![x](http://evil.example/x.png) http://evil.example www.evil.example",
)


def _pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    return [
        KeyValue(key=k, value=AnyValue(int_value=v) if isinstance(v, int) else AnyValue(string_value=v))
        for k, v in attributes.items()
    ]


def span(trace: str, own: str, parent: str, name: str, start: float, end: float, error: str = "", **more: Any) -> Span:
    """A span that began `start` seconds ago and ended `end` seconds ago; dots in attribute keys are written `__`."""
    now = time.time_ns()
    return Span(
        trace_id=bytes.fromhex(trace),
        span_id=bytes.fromhex(own),
        parent_span_id=bytes.fromhex(parent),
        name=name,
        start_time_unix_nano=now - int(start * SECOND),
        end_time_unix_nano=now - int(end * SECOND),
        attributes=_pairs({key.replace("__", "."): value for key, value in more.items()}),
        status=Status(code=Status.STATUS_CODE_ERROR, message=error) if error else Status(),
    )


def run_of(trace: str, own: str, parent: str, agent: str, start: float, end: float, **more: Any) -> Span:
    """A run of an agent."""
    named = {"gen_ai__operation__name": "invoke_agent", "gen_ai__agent__name": agent}
    return span(trace, own, parent, f"invoke_agent {agent}", start, end, **named, **more)


def cycle(trace: str, first: str = "planner", second: str = "worker") -> list[Span]:
    """An agent that is started again while it waits: first -> second -> first; with a model call that failed."""
    ids = [f"{trace[:14]}{n:02x}" for n in range(1, 5)]
    call = {
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "gpt-4o-mini",
        "gen_ai__usage__input_tokens": 90,
    }
    return [
        run_of(trace, ids[0], "", first, 60, 10),
        run_of(trace, ids[1], ids[0], second, 50, 15),
        run_of(trace, ids[2], ids[1], first, 40, 20),
        span(trace, ids[3], ids[2], f"chat {first}", 35, 30, error=HOSTILE[0], **call),
    ]


def body(spans: list[Span], service: str = "desk") -> bytes:
    """An export request with these spans."""
    resource = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    resource.resource.attributes.extend(_pairs({"service.name": service}))
    return ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()


def send(http: str, spans: list[Span]) -> None:
    """Through the front door of a running program."""
    answer = httpx.post(
        f"{http}/v1/traces", content=body(spans), headers={"content-type": "application/x-protobuf"}, timeout=20
    )
    answer.raise_for_status()


def fleet_of(trace: str, spans: int, name: str = "lead") -> list[Span]:
    """A trace of many spans: a lead that delegates to workers, each with model calls and tools, some of which fail."""
    made = [run_of(trace, f"{1:016x}", "", name, 3600, 10)]
    for at in range(2, spans + 1):
        worker = at - (at - 2) % 100  # every hundredth span is a worker's run
        start = 3590 - 3500 * at / spans
        if worker == at:
            made.append(run_of(trace, f"{at:016x}", f"{1:016x}", f"worker {at // 100 % 7}", start, start - 17))
        elif at % 3:
            call = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "gpt-4o-mini", "gen_ai__usage__input_tokens": 90}
            made.append(span(trace, f"{at:016x}", f"{worker:016x}", f"chat {at}", start, start - 0.4, **call))
        else:
            tool = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": f"tool_{at % 11}", "order": f"order-{at}"}
            error = "it timed out" if at % 500 == 0 else ""
            made.append(span(trace, f"{at:016x}", f"{worker:016x}", f"execute_tool tool_{at % 11}", start, start - 0.2, error, **tool))
    return made
