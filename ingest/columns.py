"""The Arrow schemas of what is kept: spans as decoded, spans as stored, log records.

Column order here is the order of the tables in `store/schema/`; `tests/laws/test_schema.py` keeps the two equal.
"""

from __future__ import annotations

import pyarrow as pa

from actorscope.semconv.dialects import columns

TIME = pa.timestamp("ns", "UTC")
TEXT_MAP = pa.map_(pa.string(), pa.string())
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")

DECODED_SPANS = pa.schema(
    [
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("parent_span_id", pa.binary(8)),
        ("trace_state", pa.string()),
        ("flags", pa.uint32()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("start_time", TIME),
        ("end_time", TIME),
        ("status_code", pa.string()),
        ("status_message", pa.string()),
        ("service_name", pa.string()),
        ("scope_name", pa.string()),
        ("scope_version", pa.string()),
        ("attributes", TEXT_MAP),
        ("attribute_types", pa.string()),
        ("resource_attributes", TEXT_MAP),
        ("event_times", pa.list_(TIME)),
        ("event_names", pa.list_(pa.string())),
        ("event_attributes", pa.list_(TEXT_MAP)),
        ("link_trace_ids", pa.list_(pa.binary(16))),
        ("link_span_ids", pa.list_(pa.binary(8))),
        ("link_attributes", pa.list_(TEXT_MAP)),
        ("dropped_count", pa.uint32()),
    ]
)
"""What a decoder returns: plain OTLP, one row per usable span, attribute values as text.

`attribute_types` has one letter per attribute in the order of the map (s string, i int, d double, b bool,
a array, k key-value list, y bytes, n empty), so that no type is lost. Arrays and lists are JSON, bytes base64.
`dropped_count` sums the three dropped counts of OTLP.
"""

DECODED_LOGS = pa.schema(
    [
        ("time", TIME),
        ("observed_time", TIME),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("event_name", pa.string()),
        ("severity", pa.string()),
        ("body", pa.string()),
        ("service_name", pa.string()),
        ("scope_name", pa.string()),
        ("attributes", TEXT_MAP),
        ("resource_attributes", TEXT_MAP),
    ]
)
"""What a decoder returns for log records; trace and span id are zero where the record names none."""

_ARROW = {
    "name": pa.string(),
    "text": pa.string(),
    "int": pa.uint64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "names": pa.list_(pa.string()),
}
FACTS = [(column.name, _ARROW[column.type]) for column in columns()]
BASIS = [("operation_basis", pa.string()), ("agent_basis", pa.string()), ("side_effect_basis", pa.string())]
NORMALISED = pa.schema([("dialect", pa.string()), *FACTS, *BASIS])
"""What normalisation returns for a record."""
ARRIVAL = [("ingester", pa.string()), ("seq", pa.uint64()), ("received_at", TIME), ("tenant", pa.string())]

SPANS = pa.schema([*ARRIVAL, *DECODED_SPANS, ("dialect", pa.string()), *FACTS, *BASIS])
"""A span as stored: order of arrival, plain OTLP, the dialect, the facts and their basis."""

LOGS = pa.schema([*ARRIVAL, *DECODED_LOGS, ("dialect", pa.string()), *FACTS])
"""A log record as stored: order of arrival, plain OTLP, the dialect and what it says of its span."""
