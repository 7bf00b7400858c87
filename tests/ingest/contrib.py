"""The tables of the Collector's ClickHouse exporter (contrib 0.165.1), by the columns of its DDL, and OTLP as it writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from actorscope.ingest.columns import KINDS, STATUSES, TEXT_MAP, TIME
from actorscope.ingest.decode_python import parse, text_of
from actorscope.ingest.store.client import Store

_ATTRIBUTES = "Map(LowCardinality(String), String)"
TABLES = {
    "otel_traces": f"""(Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
        SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
        ResourceAttributes {_ATTRIBUTES}, ScopeName String, ScopeVersion String, SpanAttributes {_ATTRIBUTES}, Duration UInt64,
        StatusCode LowCardinality(String), StatusMessage String,
        Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes {_ATTRIBUTES}),
        Links Nested (TraceId String, SpanId String, TraceState String, Attributes {_ATTRIBUTES}))
        ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))""",
    "otel_logs": f"""(Timestamp DateTime64(9), TraceId String, SpanId String, TraceFlags UInt8, SeverityText LowCardinality(String),
        SeverityNumber UInt8, ServiceName LowCardinality(String), Body String, ResourceSchemaUrl LowCardinality(String),
        ResourceAttributes {_ATTRIBUTES}, ScopeSchemaUrl LowCardinality(String), ScopeName String, ScopeVersion LowCardinality(String),
        ScopeAttributes {_ATTRIBUTES}, LogAttributes {_ATTRIBUTES}, EventName String)
        ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)""",
}  # fmt: skip


def _map(pairs: Any) -> list[tuple[str, str]]:
    return list({pair.key: text_of(pair.value) for pair in pairs}.items())


def span_rows(body: bytes) -> Iterator[dict[str, Any]]:
    """What the exporter inserts for a trace request."""
    for holder in parse("traces", body).resource_spans:
        resource = _map(holder.resource.attributes)
        for scoped in holder.scope_spans:
            for span in scoped.spans:
                yield {
                    "Timestamp": span.start_time_unix_nano, "TraceId": span.trace_id.hex(), "SpanId": span.span_id.hex(),
                    "ParentSpanId": span.parent_span_id.hex(), "TraceState": span.trace_state, "SpanName": span.name,
                    "SpanKind": KINDS[span.kind].capitalize(), "ServiceName": dict(resource).get("service.name", ""),
                    "ResourceAttributes": resource, "ScopeName": scoped.scope.name, "ScopeVersion": scoped.scope.version,
                    "SpanAttributes": _map(span.attributes),
                    "Duration": (span.end_time_unix_nano - span.start_time_unix_nano) % 2**64,
                    "StatusCode": STATUSES[span.status.code].capitalize(), "StatusMessage": span.status.message,
                    "Events.Timestamp": [event.time_unix_nano for event in span.events],
                    "Events.Name": [event.name for event in span.events],
                    "Events.Attributes": [_map(event.attributes) for event in span.events],
                    "Links.TraceId": [link.trace_id.hex() for link in span.links],
                    "Links.SpanId": [link.span_id.hex() for link in span.links],
                    "Links.TraceState": [link.trace_state for link in span.links],
                    "Links.Attributes": [_map(link.attributes) for link in span.links],
                }  # fmt: skip


def log_rows(body: bytes) -> Iterator[dict[str, Any]]:
    """What the exporter inserts for a log request."""
    for holder in parse("logs", body).resource_logs:
        resource = _map(holder.resource.attributes)
        for scoped in holder.scope_logs:
            for record in scoped.log_records:
                yield {
                    "Timestamp": record.time_unix_nano or record.observed_time_unix_nano, "TraceId": record.trace_id.hex(),
                    "SpanId": record.span_id.hex(), "SeverityText": record.severity_text,
                    "ServiceName": dict(resource).get("service.name", ""), "Body": text_of(record.body), "ResourceAttributes": resource,
                    "ScopeName": scoped.scope.name, "ScopeVersion": scoped.scope.version, "LogAttributes": _map(record.attributes),
                    "EventName": record.event_name,
                }  # fmt: skip


def insert(store: Store, signal: str, bodies: list[bytes]) -> None:
    """Insert requests as the exporter does, as one batch."""
    table, rows_of = ("otel_traces", span_rows) if signal == "traces" else ("otel_logs", log_rows)
    rows = [row for body in bodies for row in rows_of(body)]
    store.insert(table, pa.table({name: pa.array([row[name] for row in rows], _type(name)) for name in rows[0]}))


def _type(name: str) -> pa.DataType:
    if name in ("Timestamp", "Events.Timestamp"):
        return pa.list_(TIME) if "." in name else TIME
    if name == "Duration":
        return pa.uint64()
    if name.endswith("Attributes"):
        return pa.list_(TEXT_MAP) if "." in name else TEXT_MAP
    return pa.list_(pa.string()) if "." in name else pa.string()
