"""The reference decoder: protobuf objects to columns. It says what is right, and reads what the columnar one declines.

The only place where a Python object per span exists; `docs/benchmarks.md` says what it costs.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actorscope.ingest.columns import DECODED_LOGS, DECODED_SPANS, KINDS, STATUSES, TEXT_MAP

_ZERO16, _ZERO8 = bytes(16), bytes(8)
_LETTER = {
    "string_value": "s", "int_value": "i", "double_value": "d", "bool_value": "b",
    "array_value": "a", "kvlist_value": "k", "bytes_value": "y",
}  # fmt: skip
_MAX_TIME = 2**63 - 1


def _text(value: Any) -> tuple[str, str]:
    """Text and type letter of an AnyValue."""
    which = value.WhichOneof("value")
    if which == "string_value":
        return value.string_value, "s"
    if which is None:
        return "", "n"
    plain = getattr(value, which)
    letter = _LETTER.get(which, "n")
    if letter in "id":
        return repr(plain), letter
    if letter == "b":
        return ("true" if plain else "false"), letter
    if letter == "y":
        return b64encode(plain).decode(), letter
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")), letter


def text_of(value: Any) -> str:
    """The text under which an AnyValue is kept."""
    return _text(value)[0]


def _plain(value: Any) -> Any:
    """An AnyValue as JSON-able Python."""
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if which == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return getattr(value, which) if which else None


class _Maps:
    """Builds a column of maps from key-value lists."""

    def __init__(self) -> None:
        self.offsets = [0]
        self.keys: list[str] = []
        self.values: list[str] = []
        self.types: list[str] = []

    def add(self, pairs: Sequence[Any]) -> None:
        """One row. A key given twice keeps its last value, as attribute keys are unique in OTLP."""
        keys = [pair.key for pair in pairs]
        values = [pair.value for pair in pairs]
        if len(set(keys)) != len(keys):
            unique = dict(zip(keys, values, strict=True))
            keys, values = list(unique), list(unique.values())
        # Most values are non-empty strings: one look tells, without asking which kind they are.
        texts = [(text, "s") if (text := value.string_value) else _text(value) for value in values]
        self.keys += keys
        self.values += [text for text, _ in texts]
        self.types.append("".join([letter for _, letter in texts]))
        self.offsets.append(len(self.keys))

    def array(self) -> pa.Array:
        return pa.MapArray.from_arrays(
            pa.array(self.offsets, pa.int32()),
            pa.array(self.keys, pa.string()),
            pa.array(self.values, pa.string()),
            TEXT_MAP,
        )


def parse(signal: str, body: bytes) -> Any:
    """A body as protobuf objects. Raises ValueError on an unparsable one."""
    try:
        return _REQUESTS[signal].FromString(body)
    except DecodeError as error:
        raise ValueError(str(error)) from error


_REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest
}  # fmt: skip
_POINTS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def count_points(body: bytes) -> int:
    """The data points of a metrics request. Raises ValueError on an unparsable body."""
    metrics = (m for rm in parse("metrics", body).resource_metrics for sm in rm.scope_metrics for m in sm.metrics)
    return sum(len(getattr(metric, kind).data_points) for metric in metrics for kind in _POINTS)


def _reason(span: Any) -> str:
    """Why a span cannot be kept; empty when it can (opentelemetry-proto 1.11, trace.proto)."""
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == _ZERO16:
        return "invalid_trace_id"
    if len(span_id) != 8 or span_id == _ZERO8:
        return "invalid_span_id"
    return ""


def inspect(signal: str, body: bytes, most_attributes: int, longest_value: int) -> tuple[int, Counter[str], bool]:
    """Usable records of a body, the reasons against the others, and whether anything is over the limits.

    Raises ValueError on an unparsable body.
    """
    request = parse(signal, body)
    # An attribute takes two bytes at least, and no value is longer than the body.
    is_over = len(body) > 2 * most_attributes and any(len(h.attributes) > most_attributes for h in holders(signal, request))
    is_over = is_over or (len(body) > longest_value and any(size > longest_value for size in _sizes(signal, request)))
    if signal == "logs":
        return sum(len(sl.log_records) for rl in request.resource_logs for sl in rl.scope_logs), Counter(), is_over
    reasons = Counter(_reason(s) for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans)
    accepted = reasons.pop("", 0)
    return accepted, reasons, is_over


def holders(signal: str, request: Any) -> Iterator[Any]:
    """Everything in a request that has attributes of its own: resources, scopes, spans, events, links, log records."""
    if signal == "logs":
        for resource_logs in request.resource_logs:
            yield resource_logs.resource
            for scope_logs in resource_logs.scope_logs:
                yield scope_logs.scope
                yield from scope_logs.log_records
        return
    for resource_spans in request.resource_spans:
        yield resource_spans.resource
        for scope_spans in resource_spans.scope_spans:
            yield scope_spans.scope
            for span in scope_spans.spans:
                yield span
                yield from span.events
                yield from span.links


def _sizes(signal: str, request: Any) -> Iterator[int]:
    """The bytes of every text and byte value."""
    for holder in holders(signal, request):
        for pair in holder.attributes:
            yield from _sizes_in(pair.value)
        if signal == "logs" and hasattr(holder, "body"):
            yield from _sizes_in(holder.body)


def _sizes_in(value: Any) -> Iterator[int]:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        yield len(value.string_value.encode())
    elif kind == "bytes_value":
        yield len(value.bytes_value)
    elif kind == "array_value":
        for item in value.array_value.values:
            yield from _sizes_in(item)
    elif kind == "kvlist_value":
        for pair in value.kvlist_value.values:
            yield from _sizes_in(pair.value)


def decode_traces(bodies: Sequence[bytes]) -> pa.RecordBatch:
    """See `actorscope.ingest.decode.decode_traces`."""
    rows: dict[str, list[Any]] = {name: [] for name in DECODED_SPANS.names}
    attributes, resources, resource_index = _Maps(), _Maps(), []
    event_maps, link_maps = _Maps(), _Maps()
    for body in bodies:
        for rs in parse("traces", body).resource_spans:
            service = next((a.value.string_value for a in rs.resource.attributes if a.key == "service.name"), "")
            index = len(resources.offsets) - 1
            resources.add(rs.resource.attributes)
            for ss in rs.scope_spans:
                scope = (service, ss.scope.name, ss.scope.version)
                kept = [span for span in ss.spans if not _reason(span)]
                resource_index += [index] * len(kept)
                for span in kept:
                    _add_span(rows, span, scope)
                    attributes.add(span.attributes)
                    _add_children(rows, span, event_maps, link_maps)
    arrays = {
        "attributes": attributes.array(),
        "attribute_types": pa.array(attributes.types, pa.string()),
        "resource_attributes": resources.array().take(pa.array(resource_index, pa.int32())),
        "event_attributes": _lists(rows["event_times"], event_maps),
        "link_attributes": _lists(rows["link_span_ids"], link_maps),
    }
    return pa.RecordBatch.from_arrays(
        [arrays[f.name] if f.name in arrays else pa.array(rows[f.name], f.type) for f in DECODED_SPANS],
        schema=DECODED_SPANS,
    )


def _add_span(rows: dict[str, list[Any]], span: Any, scope: tuple[str, str, str]) -> None:
    parent = span.parent_span_id
    start = min(span.start_time_unix_nano, _MAX_TIME)
    rows["trace_id"].append(span.trace_id)
    rows["span_id"].append(span.span_id)
    rows["parent_span_id"].append(parent if len(parent) == 8 else _ZERO8)
    rows["trace_state"].append(span.trace_state)
    rows["flags"].append(span.flags)
    rows["name"].append(span.name)
    rows["kind"].append(KINDS[span.kind] if 0 <= span.kind < len(KINDS) else KINDS[0])
    rows["start_time"].append(start)
    rows["end_time"].append(min(span.end_time_unix_nano, _MAX_TIME))
    code = span.status.code
    rows["status_code"].append(STATUSES[code] if 0 <= code < len(STATUSES) else STATUSES[0])
    rows["status_message"].append(span.status.message)
    rows["service_name"].append(scope[0])
    rows["scope_name"].append(scope[1])
    rows["scope_version"].append(scope[2])
    rows["dropped_count"].append(
        min(span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count, 2**32 - 1)
    )


def _add_children(rows: dict[str, list[Any]], span: Any, event_maps: _Maps, link_maps: _Maps) -> None:
    events, links = span.events, [link for link in span.links if len(link.trace_id) == 16 and len(link.span_id) == 8]
    rows["event_times"].append([min(event.time_unix_nano, _MAX_TIME) for event in events])
    rows["event_names"].append([event.name for event in events])
    rows["link_trace_ids"].append([link.trace_id for link in links])
    rows["link_span_ids"].append([link.span_id for link in links])
    for event in events:
        event_maps.add(event.attributes)
    for link in links:
        link_maps.add(link.attributes)


def _lists(shape: list[list[Any]], maps: _Maps) -> pa.Array:
    """Lists of maps, with the lengths of the lists in `shape`."""
    offsets = [0]
    for row in shape:
        offsets.append(offsets[-1] + len(row))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), maps.array())


def decode_logs(bodies: Sequence[bytes]) -> pa.RecordBatch:
    """See `actorscope.ingest.decode.decode_logs`."""
    fields = list(DECODED_LOGS)
    rows: dict[str, list[Any]] = {f.name: [] for f in fields}
    attributes, resources, resource_index = _Maps(), _Maps(), []
    for body in bodies:
        for rl in parse("logs", body).resource_logs:
            service = next((a.value.string_value for a in rl.resource.attributes if a.key == "service.name"), "")
            index = len(resources.offsets) - 1
            resources.add(rl.resource.attributes)
            for sl in rl.scope_logs:
                for record in sl.log_records:
                    _add_log(rows, record, service, sl.scope.name)
                    attributes.add(record.attributes)
                    resource_index.append(index)
    rows["attributes"] = attributes.array()
    rows["resource_attributes"] = resources.array().take(pa.array(resource_index, pa.int32()))
    arrays = [c if isinstance(c := rows[f.name], pa.Array) else pa.array(c, f.type) for f in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _add_log(rows: dict[str, list[Any]], record: Any, service: str, scope: str) -> None:
    observed = min(record.observed_time_unix_nano, _MAX_TIME)
    rows["time"].append(min(record.time_unix_nano, _MAX_TIME) or observed)
    rows["observed_time"].append(observed)
    rows["trace_id"].append(record.trace_id if len(record.trace_id) == 16 else _ZERO16)
    rows["span_id"].append(record.span_id if len(record.span_id) == 8 else _ZERO8)
    named = (a.value.string_value for a in record.attributes if a.key == "event.name")
    rows["event_name"].append(record.event_name or next(named, ""))
    rows["severity"].append(record.severity_text)
    rows["body"].append(_text(record.body)[0])
    rows["service_name"].append(service)
    rows["scope_name"].append(scope)
