"""Builds OTLP requests out of plain Python values."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

START = 1_780_000_000_000_000_000


def any_value(value: Any) -> AnyValue:
    """A Python value as an AnyValue; None is the empty one."""
    made = AnyValue()
    if isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, int):
        made.int_value = value
    elif isinstance(value, float):
        made.double_value = value
    elif isinstance(value, bytes):
        made.bytes_value = value
    elif isinstance(value, list):
        made.array_value.SetInParent()
        made.array_value.values.extend(map(any_value, value))
    elif isinstance(value, dict):
        made.kvlist_value.SetInParent()
        made.kvlist_value.values.extend(pairs(value))
    return made


def pairs(attributes: dict[str, Any] | list[tuple[str, Any]]) -> list[KeyValue]:
    """Attributes; a list of pairs may name a key twice."""
    items = attributes.items() if isinstance(attributes, dict) else attributes
    return [KeyValue(key=key, value=any_value(value)) for key, value in items]


def span(number: int = 1, attributes: Any = (), trace: int = 1, **fields: Any) -> Span:
    """A span of one second with ids made of `trace` and `number`."""
    given = {
        "trace_id": trace.to_bytes(16, "big"), "span_id": number.to_bytes(8, "big"), "name": "step",
        "start_time_unix_nano": START, "end_time_unix_nano": START + 10**9, **fields,
    }  # fmt: skip
    return Span(attributes=pairs(attributes), **given)


def traces(*spans: Span, service: str = "desk", scope: str = "", resource: Any = ()) -> bytes:
    """One trace request with one resource and one scope."""
    request = ExportTraceServiceRequest()
    holder = request.resource_spans.add()
    holder.resource.attributes.extend(pairs([("service.name", service), *dict(resource).items()]))
    scoped = holder.scope_spans.add()
    scoped.scope.name, scoped.scope.version = scope, "1.0"
    scoped.spans.extend(spans)
    return bytes(request.SerializeToString())


def record(body: Any = "hello", attributes: Any = (), **fields: Any) -> LogRecord:
    """A log record."""
    return LogRecord(body=any_value(body), attributes=pairs(attributes), **{"time_unix_nano": START, **fields})


def logs(*records: LogRecord, service: str = "desk") -> bytes:
    """One log request with one resource and one scope."""
    request = ExportLogsServiceRequest()
    holder = request.resource_logs.add()
    holder.resource.attributes.extend(pairs({"service.name": service}))
    scoped = holder.scope_logs.add()
    scoped.scope.name = "tests"
    scoped.log_records.extend(records)
    return bytes(request.SerializeToString())
