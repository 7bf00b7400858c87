"""OTLP/JSON read natively becomes the request that the reference makes of it, or is left to it."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import RECORDINGS
from tests.fuzz.mutate import corpus, mutations
from tests.fuzz.targets import to_json
from tests.ingest import otlp

from actorscope.cli.replay import read
from actorscope.ingest import decode, decode_json, decode_python

pytestmark = pytest.mark.skipif(decode.native() is None, reason="the native decoder is not built: make native")
_FILES = sorted(RECORDINGS.glob("*.binpb.gz"))


def _taken(signal: str, body: bytes) -> bool:
    """True when native took it; then it must be what the reference makes, written in the same order of fields."""
    quick = decode.native().json_to_protobuf(signal, body)
    if quick is None:
        return False
    assert decode_python.parse(signal, quick).SerializeToString() == decode_json.to_protobuf(signal, body)
    return True


def _attribute(value: str) -> bytes:
    """A trace request whose resource has one attribute, `value` being the JSON of it."""
    return f'{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"k","value":{value}}}]}}}}]}}'.encode()


def _span(fields: str) -> bytes:
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}'.encode()


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_what_frameworks_send_is_taken(path: Path) -> None:
    signal = "logs" if ".logs." in path.name else "traces"
    assert all(_taken(signal, to_json(signal, recorded.body)) for recorded in read(path))


@pytest.mark.parametrize(
    "body",
    [
        _attribute('{"doubleValue":"NaN"}'), _attribute('{"doubleValue":"-Infinity"}'), _attribute('{"doubleValue":-0.0}'),
        _attribute('{"doubleValue":123456789012345678901234567890}'), _attribute('{"intValue":"-9223372036854775808"}'),
        _attribute('{"intValue":9223372036854775807}'), _attribute('{"bytesValue":"_-8"}'), _attribute('{"bytesValue":""}'),
        _attribute('{"stringValue":""}'), _attribute('{"boolValue":false}'), _attribute("{}"), _attribute('{"new":[{}]}'),
        _attribute('{"stringValue":"\\ud83d\\ude00\\u0000"}'), _attribute('{"arrayValue":{"values":[{},{"intValue":0}]}}'),
        _attribute('{"kvlistValue":{}}'), _span('"traceId":"0aFF","kind":-3,"flags":4294967295,"x":{"y":"\\ud800"}'),
        _span('"status":{},"name":"a","trace_id":"zz","startTimeUnixNano":"18446744073709551615"'), b" {} ", b'{"\\u0078":1}',
    ],
)  # fmt: skip
def test_what_is_allowed_is_taken(body: bytes) -> None:
    assert _taken("traces", body)


@pytest.mark.parametrize(
    "body",
    [
        _attribute("null"), _attribute('{"intValue":1.0}'), _attribute('{"intValue":"9223372036854775808"}'),
        _attribute('{"doubleValue":-0}'), _attribute('{"doubleValue":1e999}'), _attribute('{"doubleValue":"1.5"}'),
        _attribute('{"stringValue":"a","intValue":1}'), _attribute('{"stringValue":"\\ud800"}'), _attribute('{"boolValue":1}'),
        _attribute('{"bytesValue":"ab="}'), _attribute('{"bytesValue":"aB=="}'), _attribute('{"stringValueStrindex":1}'),
        _span('"traceId":"0"'), _span('"traceId":"0 0 "'), _span('"kind":"SPAN_KIND_SERVER"'), _span('"name":"a","name":"b"'),
        _span('"flags":-1'), _span('"flags":true'), _span('"new":NaN'), _span('"new":' + "9" * 4301), _span('"new":' + "[" * 200),
        b"", b"[]", b"{", b"\xff", b'\xef\xbb\xbf{}', "{}".encode("utf-16"), b'{"resourceSpans":{}}',
    ],
)  # fmt: skip
def test_what_is_unusual_is_left_to_the_reference(body: bytes) -> None:
    assert not _taken("traces", body)
    try:
        expected = decode_json.to_protobuf("traces", body)
    except ValueError:
        with pytest.raises(decode.UndecodableError):
            decode.from_json("traces", body)
    else:
        assert decode.from_json("traces", body) == expected


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(attributes=st.dictionaries(st.text(max_size=9), _VALUES, max_size=5), body=_VALUES, is_plain=st.booleans())
def test_any_values_become_the_same(attributes: dict[str, Any], body: Any, is_plain: bool) -> None:
    made = {
        "traces": otlp.traces(otlp.span(1, attributes), resource=attributes),
        "logs": otlp.logs(otlp.record(body, attributes)),
    }
    for signal, request in made.items():
        document = to_json(signal, request)
        assert _taken(signal, json.dumps(json.loads(document), ensure_ascii=is_plain, indent=is_plain or None).encode())


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_changed_documents_are_read_alike_or_left_to_the_reference(signal: str) -> None:
    seeds = [to_json(signal, body) for body in corpus(signal)]
    taken = sum(_taken(signal, data) for data in islice(mutations(seeds, 7), 2000))
    assert taken > 100
