"""Decoding: every field of OTLP comes out as it went in, and what cannot be kept is counted."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.ingest import otlp

from actorscope.errors import Reject
from actorscope.ingest.columns import DECODED_SPANS
from actorscope.ingest.decode import UndecodableError, decode_logs, decode_traces, inspect

_VALUES = {
    "text": ("héllo\n\x00", "héllo\n\x00", "s"),
    "nothing said": ("", "", "s"),
    "int": (-(2**63), "-9223372036854775808", "i"),
    "zero": (0, "0", "i"),
    "double": (0.1, "0.1", "d"),
    "nan": (float("nan"), "nan", "d"),
    "yes": (True, "true", "b"),
    "no": (False, "false", "b"),
    "bytes": (b"\x00\xff", "AP8=", "y"),
    "no bytes": (b"", "", "y"),
    "empty": (None, "", "n"),
    "array": ([1, "é", None, [True], b"\xff"], '[1,"é",null,[true],"/w=="]', "a"),
    "no items": ([], "[]", "a"),
    "list": ({"a": {"b": [1.5]}, "": None}, '{"a":{"b":[1.5]},"":null}', "k"),
    "no pairs": ({}, "{}", "k"),
}


def _one(span: Span, **request: Any) -> dict[str, Any]:
    table = decode_traces([otlp.traces(span, **request)])
    assert table.schema == DECODED_SPANS
    [row] = [dict(zip(table.schema.names, values, strict=True)) for values in zip(*_plain(table), strict=True)]
    return row


def _plain(table: Any) -> list[list[Any]]:
    """Columns as Python values; times as nanoseconds."""
    return [_whole_times(column).to_pylist() for column in table.columns]


def _whole_times(column: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64())
    if pa.types.is_list(column.type) and pa.types.is_timestamp(column.type.value_type):
        return column.cast(pa.list_(pa.int64()))
    return column


@pytest.mark.parametrize("kind", _VALUES)
def test_an_attribute_of_every_type_keeps_value_and_type(kind: str) -> None:
    value, text, letter = _VALUES[kind]
    row = _one(otlp.span(1, {"key": value}))
    assert (row["attributes"], row["attribute_types"]) == ([("key", text)], letter)


def test_types_stand_in_the_order_of_the_attributes() -> None:
    row = _one(otlp.span(1, {key: value for key, (value, _, _) in _VALUES.items()}))
    assert row["attributes"] == [(key, text) for key, (_, text, _) in _VALUES.items()]
    assert row["attribute_types"] == "".join(letter for _, _, letter in _VALUES.values())


def test_a_key_given_twice_keeps_its_last_value() -> None:
    row = _one(otlp.span(1, [("a", "1"), ("b", 2), ("a", 3), ("", "empty key"), ("a", True)]))
    assert dict(row["attributes"]) == {"a": "true", "b": "2", "": "empty key"}
    assert sorted(zip((k for k, _ in row["attributes"]), row["attribute_types"], strict=True)) == [
        ("", "s"), ("a", "b"), ("b", "i"),
    ]  # fmt: skip


def test_every_field_of_a_span_comes_out() -> None:
    span = otlp.span(
        7,
        name="call",
        parent_span_id=b"parentid",
        trace_state="a=b,c=d",
        flags=0xFFFFFFFF,
        kind=Span.SPAN_KIND_CLIENT,
        status=Status(code=Status.STATUS_CODE_ERROR, message="boom"),
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
    )
    row = _one(span, service="desk", scope="lib", resource={"host": 5})
    assert row == {
        "trace_id": span.trace_id, "span_id": span.span_id, "parent_span_id": b"parentid", "trace_state": "a=b,c=d",
        "flags": 0xFFFFFFFF, "name": "call", "kind": "client", "start_time": otlp.START,
        "end_time": otlp.START + 10**9, "status_code": "error", "status_message": "boom", "service_name": "desk",
        "scope_name": "lib", "scope_version": "1.0", "attributes": [], "attribute_types": "",
        "resource_attributes": [("service.name", "desk"), ("host", "5")], "event_times": [], "event_names": [],
        "event_attributes": [], "link_trace_ids": [], "link_span_ids": [], "link_attributes": [], "dropped_count": 6,
    }  # fmt: skip


def test_events_and_links_come_out_in_order() -> None:
    events = [Span.Event(time_unix_nano=n, name=f"e{n}", attributes=otlp.pairs({"n": n, "x": [n]})) for n in (2, 1)]
    events.append(Span.Event())
    link = Span.Link(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=otlp.pairs({"why": "retry"}), trace_state="x=y")
    row = _one(otlp.span(1, events=events, links=[link, Span.Link(trace_id=b"bad", span_id=b"s" * 8)]))
    assert (row["event_times"], row["event_names"]) == ([2, 1, 0], ["e2", "e1", ""])
    assert row["event_attributes"] == [[("n", "2"), ("x", "[2]")], [("n", "1"), ("x", "[1]")], []]
    assert (row["link_trace_ids"], row["link_span_ids"]) == ([b"t" * 16], [b"s" * 8])
    assert row["link_attributes"] == [[("why", "retry")]]


@pytest.mark.parametrize(
    ("number", "kind"), [(0, "unspecified"), (5, "consumer"), (6, "unspecified"), (-1, "unspecified")]
)
def test_an_unknown_kind_is_unspecified(number: int, kind: str) -> None:
    assert _one(otlp.span(1, kind=number))["kind"] == kind


@pytest.mark.parametrize(("number", "code"), [(0, "unset"), (1, "ok"), (2, "error"), (3, "unset"), (-1, "unset")])
def test_an_unknown_status_is_unset(number: int, code: str) -> None:
    assert _one(otlp.span(1, status=Status(code=number)))["status_code"] == code


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (otlp.START, otlp.START - 1), (2**63 - 1, 2**63 - 1), (2**63, 2**64 - 1)]
)
def test_times_come_out_up_to_what_the_store_can_hold(start: int, end: int) -> None:
    row = _one(otlp.span(1, start_time_unix_nano=start, end_time_unix_nano=end))
    assert (row["start_time"], row["end_time"]) == (min(start, 2**63 - 1), min(end, 2**63 - 1))


def test_a_parent_that_is_no_id_is_none() -> None:
    assert _one(otlp.span(1, parent_span_id=b"abc"))["parent_span_id"] == bytes(8)


def test_dropped_counts_do_not_run_over() -> None:
    most = 2**32 - 1
    assert _one(otlp.span(1, dropped_attributes_count=most, dropped_links_count=most))["dropped_count"] == most


def test_spans_without_valid_ids_are_left_out_and_counted() -> None:
    bad = [
        otlp.span(1, trace_id=b""), otlp.span(2, trace_id=bytes(16)), otlp.span(3, trace_id=b"x" * 17),
        otlp.span(4, span_id=b""), otlp.span(5, span_id=bytes(8)), otlp.span(6, span_id=b"x" * 7),
        otlp.span(7, trace_id=b"", span_id=b""),
    ]  # fmt: skip
    body = otlp.traces(bad[0], otlp.span(8, {"a": "8"}), *bad[1:], otlp.span(9, {"a": "9"}), resource={"r": "x"})
    found = inspect("traces", body)
    assert (found.accepted, found.rejected) == (2, 7)
    assert set(found.rejects) == {Reject("invalid_trace_id", 4), Reject("invalid_span_id", 3)}
    kept = decode_traces([body])
    assert kept["span_id"].to_pylist() == [(8).to_bytes(8, "big"), (9).to_bytes(8, "big")]
    assert kept["attributes"].to_pylist() == [[("a", "8")], [("a", "9")]]
    assert kept["resource_attributes"].to_pylist() == [[("service.name", "desk"), ("r", "x")]] * 2


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_a_body_that_is_no_request_is_undecodable(signal: str) -> None:
    with pytest.raises(UndecodableError, match=f"7 bytes as an OTLP {signal} request"):
        inspect(signal, b"\xff\xff\xff\xff\xff\xff\xff")


def test_fields_that_we_do_not_know_do_no_harm() -> None:
    body = otlp.traces(otlp.span(1)) + b"\xfa\x7f\x03new"
    assert inspect("traces", body).accepted == decode_traces([body]).num_rows == 1


# The same properties over requests that hypothesis makes up.

_few = settings(max_examples=80, deadline=None)
_text = st.text(max_size=8)
_any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | _text | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=5,
)
_attributes = st.lists(st.tuples(_text, _any), max_size=4)
_id = st.sampled_from([16, 8, 0, 3]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
_trace_id, _span_id = st.binary(min_size=16, max_size=16) | _id, st.binary(min_size=8, max_size=8) | _id
_u64, _u32 = st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)
_spans = st.builds(
    lambda attributes, **fields: Span(attributes=otlp.pairs(attributes), **fields),
    _attributes, trace_id=_trace_id, span_id=_span_id, parent_span_id=_span_id, name=_text, trace_state=_text,
    flags=_u32, kind=st.integers(-9, 9), start_time_unix_nano=_u64, end_time_unix_nano=_u64,
    dropped_attributes_count=_u32, status=st.builds(Status, code=st.integers(-3, 5), message=_text),
    events=st.lists(st.builds(Span.Event, time_unix_nano=_u64, name=_text), max_size=3),
    links=st.lists(st.builds(Span.Link, trace_id=_trace_id, span_id=_span_id), max_size=3),
)  # fmt: skip
_records = st.builds(
    lambda body, attributes, **fields: otlp.record(body, attributes, **fields),
    _any, _attributes, time_unix_nano=_u64, observed_time_unix_nano=_u64, trace_id=_trace_id, span_id=_span_id,
    event_name=_text, severity_text=_text,
)  # fmt: skip


def _told(value: AnyValue) -> tuple[str, str]:
    """What an AnyValue must become: its text and its letter, written down a second time."""
    kind = value.WhichOneof("value")
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode(), "y"
    if kind in ("array_value", "kvlist_value"):
        return json.dumps(_json(value), ensure_ascii=False, separators=(",", ":")), kind[0]
    if kind == "bool_value":
        return str(value.bool_value).lower(), "b"
    return ("", "n") if kind is None else (str(getattr(value, kind)), kind[0])


def _json(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return list(map(_json, value.array_value.values))
    if kind == "kvlist_value":
        return {pair.key: _json(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return kind and getattr(value, kind)


def _is_kept(span: Span) -> bool:
    return (len(span.trace_id), len(span.span_id)) == (16, 8) and any(span.trace_id) and any(span.span_id)


@_few
@given(groups=st.lists(st.lists(_spans, max_size=4), max_size=3))
def test_every_span_with_valid_ids_becomes_a_row(groups: list[list[Span]]) -> None:
    bodies = [otlp.traces(*group, service=f"s{n}") for n, group in enumerate(groups)]
    kept = [span for group in groups for span in group if _is_kept(span)]
    found = [inspect("traces", body) for body in bodies]
    assert sum(each.accepted for each in found) == len(kept)
    assert sum(each.rejected for each in found) == sum(map(len, groups)) - len(kept)
    table = decode_traces(bodies)
    assert list(zip(table["trace_id"].to_pylist(), table["span_id"].to_pylist(), strict=True)) == [
        (span.trace_id, span.span_id) for span in kept
    ]
    rows = zip(table["attributes"].to_pylist(), table["attribute_types"].to_pylist(), strict=True)
    for span, (attributes, types) in zip(kept, rows, strict=True):
        expected = {pair.key: _told(pair.value) for pair in span.attributes}
        assert {k: (v, t) for (k, v), t in zip(attributes, types, strict=True)} == expected
        assert len(attributes) == len(expected)
    services = [f"s{n}" for n, group in enumerate(groups) for span in group if _is_kept(span)]
    assert table["service_name"].to_pylist() == services
    assert table["resource_attributes"].to_pylist() == [[("service.name", service)] for service in services]
    assert table["event_names"].to_pylist() == [[event.name for event in span.events] for span in kept]
    assert [len(e) for e in table["event_attributes"].to_pylist()] == [len(span.events) for span in kept]


@_few
@given(groups=st.lists(st.lists(_records, max_size=4), max_size=3))
def test_every_log_record_becomes_a_row(groups: list[list[Any]]) -> None:
    bodies = [otlp.logs(*group, service=f"s{n}") for n, group in enumerate(groups)]
    services = [f"s{n}" for n, group in enumerate(groups) for _ in group]
    records = [record for group in groups for record in group]
    assert sum(inspect("logs", body).accepted for body in bodies) == len(records)
    table = decode_logs(bodies)
    assert table.num_rows == len(records)
    assert table["service_name"].to_pylist() == services
    assert table["resource_attributes"].to_pylist() == [[("service.name", service)] for service in services]
    for record, row in zip(records, table.to_pylist(), strict=True):
        assert dict(row["attributes"]) == {pair.key: _told(pair.value)[0] for pair in record.attributes}
        assert row["body"] == _told(record.body)[0]
        assert row["trace_id"] == (record.trace_id if len(record.trace_id) == 16 else bytes(16))
        assert row["severity"] == record.severity_text


@pytest.mark.parametrize(
    ("field", "attribute", "expected"),
    [("field", "attribute", "field"), ("", "attribute", "attribute"), ("field", None, "field"), ("", None, "")],
)
def test_the_event_name_is_the_field_or_else_the_attribute(field: str, attribute: str | None, expected: str) -> None:
    given_ = {"event.name": attribute} if attribute else {}
    [row] = decode_logs([otlp.logs(otlp.record(attributes=given_, event_name=field))]).to_pylist()
    assert row["event_name"] == expected
    assert dict(row["attributes"]) == given_


def test_a_log_record_without_a_time_has_the_time_it_was_observed() -> None:
    rows = decode_logs([otlp.logs(otlp.record(time_unix_nano=0, observed_time_unix_nano=5), otlp.record())])
    assert [time.value for time in rows["time"]] == [5, otlp.START]
    assert Counter(rows["service_name"].to_pylist()) == {"desk": 2}
