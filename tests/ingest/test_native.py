"""The native decoder: chosen when it is built, and equal to the reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import RECORDINGS
from tests.ingest import otlp

from actorscope.cli.replay import read
from actorscope.errors import DefinitionError
from actorscope.ingest import decode, decode_python
from actorscope.ingest.columns import DECODED_LOGS, DECODED_SPANS

_FILES = sorted(RECORDINGS.glob("*.binpb.gz"))
needs_native = pytest.mark.skipif(decode.native() is None, reason="the native decoder is not built: make native")


@pytest.fixture(autouse=True)
def chosen() -> Iterator[None]:
    yield
    decode.choose("auto")


@needs_native
def test_native_is_chosen_where_it_is_built_and_python_when_asked_for() -> None:
    assert decode.name() == f"native {decode.NATIVE_VERSION}"
    decode.choose("python")
    assert decode.native() is None and decode.name() == "python"
    decode.choose("native")
    assert decode.native() is not None


@pytest.mark.parametrize(("built", "says"), [(None, "not built"), ("0.0.9", "version 0.0.9 is built")])
def test_asking_for_what_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch, built: str | None, says: str) -> None:
    class Other:
        @staticmethod
        def version() -> str | None:
            return built

    monkeypatch.setattr(decode, "_built", Other if built else None)
    with pytest.raises(DefinitionError, match=says):
        decode.choose("native")
    decode.choose("auto")
    assert decode.name() == "python"
    monkeypatch.undo()


def _both(signal: str, bodies: list[bytes]) -> tuple[pa.RecordBatch | None, pa.RecordBatch]:
    native, schema = decode.native(), DECODED_SPANS if signal == "traces" else DECODED_LOGS
    made = (native.decode_traces if signal == "traces" else native.decode_logs)(bodies)
    plain = (decode_python.decode_traces if signal == "traces" else decode_python.decode_logs)(bodies)
    return made and pa.RecordBatch.from_arrays(made.columns, schema=schema), plain


@needs_native
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_what_frameworks_send_is_read_natively_and_alike(path: Path) -> None:
    signal = "logs" if ".logs." in path.name else "traces"
    bodies = [recorded.body for recorded in read(path)]
    made, plain = _both(signal, bodies)
    assert made is not None and made.equals(plain)
    for body in bodies:
        accepted, _, is_over = decode_python.inspect(signal, body, 20, 200)
        found = decode.native().inspect(signal == "logs", body)
        assert (found[0], found[3] > 20 or found[4] > 200) == (accepted, is_over)


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=20), st.binary(max_size=9)
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8
)
_PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", "service.name", "", "é"]), _VALUES), max_size=6)


@st.composite
def _spans(draw: st.DrawFn) -> Any:
    ids = st.sampled_from([b"", b"x" * 7, b"x" * 8, bytes(8), b"y" * 16, bytes(16), b"z" * 17])
    span = otlp.span(draw(st.integers(1, 9)), draw(_PAIRS), name=draw(st.text(max_size=9)))
    span.trace_id, span.span_id, span.parent_span_id = draw(ids), draw(ids), draw(ids)
    span.kind = draw(st.integers(-1, 9))
    span.flags = draw(st.integers(0, 2**32 - 1))
    span.start_time_unix_nano = draw(st.integers(0, 2**64 - 1))
    span.dropped_attributes_count = span.dropped_links_count = draw(st.integers(0, 2**32 - 1))
    span.trace_state, span.status.message = draw(st.text(max_size=5)), draw(st.text(max_size=5))
    span.status.code = draw(st.integers(-1, 5))
    for pairs in draw(st.lists(_PAIRS, max_size=2)):
        span.events.add(name=draw(st.text(max_size=4)), time_unix_nano=draw(st.integers(0, 2**64 - 1))).attributes.extend(otlp.pairs(pairs))
        span.links.add(trace_id=draw(ids), span_id=draw(ids)).attributes.extend(otlp.pairs(pairs))
    return span


@needs_native
@settings(max_examples=300, deadline=None)
@given(st.lists(_spans(), max_size=4), _PAIRS)
def test_every_field_with_any_value_is_read_alike(spans: list[Any], resource: list[tuple[str, Any]]) -> None:
    body = otlp.traces(*spans, resource=resource)
    made, plain = _both("traces", [body, otlp.traces(otlp.span(1)), body])
    assert made is not None and made.equals(plain)


@needs_native
@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_VALUES, _PAIRS), max_size=4))
def test_log_records_with_any_value_are_read_alike(records: list[tuple[Any, Any]]) -> None:
    body = otlp.logs(*(otlp.record(said, pairs, trace_id=b"t" * 16, severity_text="WARN") for said, pairs in records))
    made, plain = _both("logs", [body])
    assert made is not None and made.equals(plain)


_DOUBLES = [
    0.0, -0.0, 1e16, 1e15, 9.999e22, 1.5e-5, 1e-4, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e22, 123456789.125,
    0.000151157379150390625,  # halfway between two shortest texts
]  # fmt: skip


@needs_native
@pytest.mark.parametrize("number", _DOUBLES)
def test_doubles_are_written_as_python_writes_them(number: float) -> None:
    made, plain = _both("traces", [otlp.traces(otlp.span(1, {"d": number, "l": [number, -number]}))])
    assert made is not None and made.equals(plain)


@needs_native
@pytest.mark.parametrize("body", [b"\xff", b"\x0a\x05a", b"\x0b\x0c", b"\x0a" + b"\x80" * 9 + b"\x02", b"\x00\x01", b"\x0a" + b"\xff" * 20])
def test_what_is_no_request_is_left_to_the_reference(body: bytes) -> None:
    assert decode.native().inspect(False, body) is None
    try:
        decode_python.inspect("traces", body, 9, 9)
    except ValueError:
        with pytest.raises(decode.UndecodableError):
            decode.inspect("traces", body)
    else:
        assert decode.inspect("traces", body).accepted == 0, "protobuf still knows groups"
