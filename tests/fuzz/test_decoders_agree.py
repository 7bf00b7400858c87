"""The decoder of the hot path and the reference decoder say the same of everything that intake lets through."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conftest import RECORDINGS
from tests.ingest import otlp

from actorscope.cli.replay import read
from actorscope.ingest import decode_columns, decode_python
from actorscope.ingest.decode import UndecodableError, inspect
from actorscope.ingest.wire import OddWireError

_RICH = otlp.traces(
    otlp.span(
        1, {"a": "short", "b": "a text that is longer than twelve bytes", "c": -5, "d": 0.25, "e": True, "f": None}
    ),
    otlp.span(2, {"list": [1, "x", {"k": b"\x00"}], "bytes": b"\xff", "é": "ü" * 9, "big": 2**62}),
    otlp.span(3),
)
_FILES = sorted(RECORDINGS.glob("*.traces.binpb.gz"))


def _agree(bodies: list[bytes]) -> bool:
    """True when the quick decoder read them; what it reads must be what the reference reads."""
    try:
        quick = decode_columns.decode_traces(bodies)
    except OddWireError:
        return False
    assert quick.equals(decode_python.decode_traces(bodies))
    return True


@pytest.mark.parametrize("path", _FILES, ids=lambda p: p.name.split(".")[0])
def test_what_frameworks_send_is_read_by_the_quick_decoder(path: object) -> None:
    bodies = [recorded.body for recorded in read(path)]  # type: ignore[arg-type]
    assert _agree(bodies)
    assert all(_agree([body]) for body in bodies)


@st.composite
def _changed(draw: st.DrawFn) -> bytes:
    data = bytearray(_RICH)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    return bytes(data)


@settings(max_examples=3000, deadline=None)
@given(_changed())
@example(_RICH)
@example(_RICH + _RICH)
@example(b"")
def test_changed_bytes_are_read_alike_or_left_to_the_reference(body: bytes) -> None:
    try:
        inspect("traces", body)
    except UndecodableError:
        return
    _agree([body, _RICH])


@pytest.mark.parametrize(
    "field",
    [
        b"\x28\x05",  # the name (5) as a number
        b"\x2a\x01x\x2a\x01y",  # the name twice
        b"\x7a\x02\x18\x02\x7a\x02\x12\x00",  # the status twice: parts that merge
        b"\xa3\x06\xa4\x06",  # a group of an unknown number
        b"\x30\x82\x80\x80\x80\x10",  # a kind beyond 32 bits
        b"\xf8\x07\x01",  # an unknown field
    ],
)
def test_a_span_with_an_odd_field_is_never_read_differently(field: bytes) -> None:
    span = ExportTraceServiceRequest.FromString(otlp.traces(otlp.span(1))).resource_spans[0].scope_spans[0].spans[0]
    raw = span.SerializeToString() + field
    scope = b"\x12" + bytes([len(raw) & 0x7F | 0x80, len(raw) >> 7]) + raw
    resource = b"\x12" + bytes([len(scope) & 0x7F | 0x80, len(scope) >> 7]) + scope
    body = b"\x0a" + bytes([len(resource) & 0x7F | 0x80, len(resource) >> 7]) + resource
    assert inspect("traces", body).accepted == 1
    _agree([body])
