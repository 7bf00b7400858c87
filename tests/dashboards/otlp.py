"""For tests only: OTLP bodies with chosen ids, names and times."""

from __future__ import annotations

import time
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

SECOND = 10**9
HOSTILE = (
    '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>',
    "[click](javascript:window.pwned=1) ![x](http://evil.example/x.png) http://evil.example www.evil.example",
)


def _pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: Any) -> AnyValue:
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


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
    _post(f"{http}/v1/traces", body(spans))


def send_notes(http: str, notes: list[LogRecord]) -> None:
    """Log records, through the same door."""
    _post(f"{http}/v1/logs", notes_body(notes))


def _post(url: str, content: bytes) -> None:
    answer = httpx.post(url, content=content, headers={"content-type": "application/x-protobuf"}, timeout=20)
    answer.raise_for_status()


def notes_body(notes: list[LogRecord], service: str = "desk") -> bytes:
    """An export request with these log records."""
    resource = ResourceLogs(scope_logs=[ScopeLogs(log_records=notes)])
    resource.resource.attributes.extend(_pairs({"service.name": service}))
    return ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString()


def note(trace: str, own: str, event: str, ago: float, **more: Any) -> LogRecord:
    """What was logged of a span so many seconds ago."""
    return LogRecord(
        trace_id=bytes.fromhex(trace),
        span_id=bytes.fromhex(own),
        event_name=event,
        time_unix_nano=time.time_ns() - int(ago * SECOND),
        attributes=_pairs({key.replace("__", "."): value for key, value in more.items()}),
    )


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


def office(trace: str, links_to: tuple[str, str] | None = None, is_careful: bool = True) -> tuple[list[Span], list[LogRecord]]:
    """A run with approvals, scopes, writes, an error, a delegation, a link, a conversation, and a span that has not ended."""
    ids = [f"{trace[:12]}{n:04x}" for n in range(12)]
    talk = {"gen_ai__conversation__id": "conversation-7"}
    tokens = {"gen_ai__usage__input_tokens": 900 if is_careful else 4000, "gen_ai__usage__output_tokens": 120}
    chat = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "gpt-4o-mini", **tokens}
    tool = {"gen_ai__operation__name": "execute_tool"}
    approved = {"actorscope__approval__id": "ap-1", "actorscope__approval__status": "granted"}
    pay = {**tool, **_effect("pay", "payments.write", "write", "invoice/881"), **approved}
    read = {**tool, **_effect("read_mail", "mail.read", "read", "")}
    spans = [
        run_of(trace, ids[1], "", "clerk", 120, 20, **talk, actorscope__task__kind="pay invoices"),
        span(trace, ids[2], ids[1], "chat gpt-4o-mini", 118, 105, **chat),
        span(trace, ids[3], ids[1], "execute_tool read_mail", 104, 98, **read),
        run_of(trace, ids[4], ids[1], "payer", 96, 30, **talk),
        span(trace, ids[5], ids[4], "chat gpt-4o-mini", 95, 80, **chat),
        span(trace, ids[6], ids[4], "execute_tool pay", 60, 50, **pay),
        span(trace, ids[7], ids[4], "execute_tool lookup", 49, 40, "no such account\n\x1b[31mat bank", **tool, gen_ai__tool__name="lookup"),
    ]
    if not is_careful:
        wipe = {**tool, **_effect("delete_mail", "mail.delete", "destructive", "mailbox/9")}
        spans.append(span(trace, ids[8], ids[4], "execute_tool delete_mail", 39, 33, **wipe))
    if links_to:
        spans[3].links.add(trace_id=bytes.fromhex(links_to[0]), span_id=bytes.fromhex(links_to[1]))
    by = {"actorscope__approval__approver__id": "ada@example.com", "actorscope__approval__approver__type": "human"}
    begun = {"actorscope__span__name": "execute_tool wait_for_bank", "actorscope__span__parent__id": ids[4]}
    notes = [
        note(trace, ids[6], "actorscope.approval.request", 78, actorscope__approval__id="ap-1", gen_ai__tool__name="pay"),
        note(trace, ids[6], "actorscope.approval.resolution", 62, **approved, **by),
        note(trace, ids[9], "actorscope.span.start", 38, **begun, gen_ai__agent__name="payer"),
        note(trace, ids[9], "actorscope.span.heartbeat", 25),
    ]
    return spans, notes


def _effect(tool: str, scope: str, effect: str, target: str) -> dict[str, Any]:
    return {
        "gen_ai__tool__name": tool,
        "actorscope__authz__scope__used": [scope],
        "actorscope__action__side_effect": effect,
        "actorscope__action__target__id": target,
    }
