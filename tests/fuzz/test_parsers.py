"""Whatever strangers send, a parser gives a value or its own error, and nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest import otlp

from actorscope.cli.replay import Recorded, read
from actorscope.errors import DefinitionError
from actorscope.ingest.content import REQUEST_LIMIT
from actorscope.ingest.decode import Inspection, UndecodableError, decode_logs, decode_traces, inspect
from actorscope.ingest.normalise import normalise
from actorscope.semconv.dialects import columns, dialects

_GOOD = {
    "traces": otlp.traces(otlp.span(1, {"gen_ai.agent.name": "a", "n": [1, {"k": b"x"}]}), otlp.span(2)),
    "logs": otlp.logs(otlp.record({"a": [1]}, {"event.name": "e"})),
}
_NAMES = frozenset(column.name for column in columns())
_KEYS = sorted(
    {key for d in dialects() for rule in d.rules for key in rule.attribute_keys(_NAMES)}
    | {column.attribute for column in columns()}
)
_KINDS = sorted({value for d in dialects() for rule in d.rules for allowed in rule.where.values() for value in allowed})


def _bounded(examples: int) -> Callable[[Any], Any]:
    return settings(max_examples=examples, deadline=None)


@st.composite
def _mangled(draw: st.DrawFn, whole: bytes) -> bytes:
    """A good body with bytes changed, cut, or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["change", "cut", "insert", "drop"])):
            case "change" if data:
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at:]
            case "insert":
                data[at:at] = draw(st.binary(max_size=6))
            case _:
                del data[at : at + draw(st.integers(1, 9))]
    return bytes(data)


@pytest.mark.parametrize("signal", ["traces", "logs"])
@_bounded(250)
@given(data=st.data())
def test_any_bytes_are_inspected_or_undecodable(signal: str, data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=80) | _mangled(_GOOD[signal]))
    try:
        found = inspect(signal, body)
    except UndecodableError:
        return
    assert isinstance(found, Inspection)
    rows = (decode_traces if signal == "traces" else decode_logs)([body])
    assert rows.num_rows == found.accepted
    if signal == "traces":
        assert normalise(rows).num_rows == found.accepted


_JSONISH = st.text(st.sampled_from('[]{}",:\\ud8"0e-1.nulltrue $'), max_size=30)
_NUMBERS = st.sampled_from(
    ["1e400", "-1", "0x1", "1_0", "٣", "9" * 400, "NaN", "-inf", "1.5", " 7", "true", "18446744073709551616"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["role", "content", "parts", "messages", "inputs", "agent_name", "x"]), inner, max_size=3),
    max_leaves=6,
).map(json.dumps)  # fmt: skip
_VALUES = st.text(max_size=20) | _JSONISH | _NUMBERS | _JSON | st.sampled_from(_KINDS)


@_bounded(120)
@given(
    spans=st.lists(st.dictionaries(st.sampled_from(_KEYS), _VALUES, min_size=1, max_size=12), min_size=1, max_size=4),
    name=st.text(max_size=12) | st.sampled_from(["invoke_agent x", "handoff to y", "z.run"]),
    scope=st.sampled_from(["", "openinference.instrumentation.openai_agents", "traceloop.tracer"])
    | st.text(max_size=8),
)
def test_any_text_in_any_mapped_attribute_is_normalised(spans: list[dict[str, str]], name: str, scope: str) -> None:
    body = otlp.traces(*(otlp.span(n, each, name=name) for n, each in enumerate(spans, 1)), scope=scope, service=name)
    table = normalise(decode_traces([body]))
    assert table.num_rows == len(spans)
    for row in table.to_pylist():
        assert row["request"] is None or 0 < len(row["request"]) <= REQUEST_LIMIT
        assert (row["operation"] is None) == (row["operation_basis"] is None)
        assert (row["side_effect"] is None) == (row["side_effect_basis"] is None)


@pytest.mark.parametrize("key", _KEYS)
def test_hostile_text_in_each_mapped_attribute_is_normalised(key: str) -> None:
    texts = ["[" * 100_000, '{"a":' * 2000 + "1" + "}" * 2000, '"\\ud800"', "9" * 5000, "\x00", "{bad", "[[1]]", ""]
    kinds = {
        "openinference.span.kind": "AGENT",
        "traceloop.span.kind": "agent",
        "gen_ai.operation.name": "invoke_agent",
    }
    spans = [otlp.span(n, {**kinds, key: text}) for n, text in enumerate(texts, 1)]
    assert normalise(decode_traces([otlp.traces(*spans)])).num_rows == len(texts)


def _delimited(*bodies: bytes) -> bytes:
    return b"".join(bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body for body in bodies)


_LINE = json.dumps(
    {
        "resourceSpans": [
            {"scopeSpans": [{"spans": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "x", "kind": 1}]}]}
        ]
    }
).encode()
_FILES = {
    "a.binpb": _delimited(_GOOD["traces"], _GOOD["traces"]),
    "a.logs.binpb": _delimited(_GOOD["logs"]),
    "a.jsonl": _LINE + b"\n" + _LINE,
    "a.json": _LINE,
}


def _is_read_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found = list(read(path))
    except DefinitionError as error:
        assert str(path) in str(error)
        return
    assert all(isinstance(each, Recorded) for each in found)


@pytest.mark.parametrize("name", _FILES)
@_bounded(150)
@given(data=st.data())
def test_any_recording_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = data.draw(st.binary(max_size=60) | _mangled(_FILES[name]) | _JSON.map(str.encode))
    _is_read_or_refused(tmp_path_factory.getbasetemp() / name, content)


@_bounded(150)
@given(data=st.data())
def test_any_packed_recording_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = data.draw(st.binary(max_size=60) | _mangled(gzip.compress(_FILES["a.binpb"])))
    _is_read_or_refused(tmp_path_factory.getbasetemp() / "a.binpb.gz", content)


def test_good_recordings_are_read(tmp_path: Path) -> None:
    counts = {}
    for name, content in _FILES.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        counts[name] = len(list(read(tmp_path / name))), len(list(read(tmp_path / f"{name}.gz")))
    assert counts == {"a.binpb": (2, 2), "a.logs.binpb": (1, 1), "a.jsonl": (2, 2), "a.json": (1, 1)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("corrupt.binpb.gz", gzip.compress(_FILES["a.binpb"])[:10] + b"\xff" * 20),
        ("deep.json", b"[" * 200_000),
        ("half.json", b'"\\ud800"'),
    ],
)
def test_a_broken_recording_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    _is_read_or_refused(tmp_path / name, data)
