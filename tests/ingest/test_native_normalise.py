"""The native normaliser says what the reference says, of every record and every column."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conftest import RECORDINGS
from tests.ingest import otlp

from actorscope.cli.replay import read
from actorscope.ingest import decode, normalise, normalise_native
from actorscope.semconv.dialects import columns, dialects, load

pytestmark = pytest.mark.skipif(decode.native() is None, reason="the native normaliser is not built: make native")
_FILES = sorted(RECORDINGS.glob("*.binpb.gz"))


@pytest.fixture(autouse=True)
def chosen() -> Iterator[None]:
    decode.choose("native")
    yield
    decode.choose("auto")


def _agree(records: pa.RecordBatch, is_log: bool = False) -> None:
    made = (normalise.normalise_logs if is_log else normalise.normalise)(records)
    plain = (normalise.reference_logs if is_log else normalise.reference)(records)
    assert made.schema.equals(plain.schema)
    for name in plain.schema.names:
        mine, theirs = made.column(name).to_pylist(), plain.column(name).to_pylist()
        assert mine == theirs, (name, [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b][:3])


def _odd(records: pa.RecordBatch, is_log: bool = False) -> int:
    """How many records the native module leaves to the reference."""
    normalise.normalise(records) if not is_log else normalise.normalise_logs(records)
    return len(normalise_native._compiled[0][2].normalise(records, is_log)[1])


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_recordings_mean_the_same(path: Path) -> None:
    is_log = ".logs." in path.name
    bodies = [recorded.body for recorded in read(path)]
    _agree((decode.decode_logs if is_log else decode.decode_traces)(bodies), is_log)


def test_most_records_of_most_frameworks_are_answered_natively() -> None:
    odd = total = 0
    for path in _FILES:
        if ".logs." not in path.name:
            records = decode.decode_traces([recorded.body for recorded in read(path)])
            odd, total = odd + _odd(records), total + records.num_rows
    assert odd < 0.06 * total, f"{odd} of {total}"


_KEYS = sorted(
    {key for d in dialects() for rule in d.rules for key in (rule.source, *rule.plus, *rule.where, *rule.present, *rule.same) if key}
    | {column.attribute for column in columns()}
    | {f"llm.output_messages.0.message.tool_calls.{n}.tool_call.{key}" for n in (0, 10, 9)
       for key in ("id", "function.name", "function.arguments")}
    | {f"gen_ai.completion.{n}.tool_calls.{key}" for n in (0, "x") for key in ("0.name", "0.arguments", "0", "01.name", "1.arguments")}
)
_WHERE = sorted({value for d in dialects() for rule in d.rules for allowed in rule.where.values() for value in allowed})
_WORDS = [
    "", " ", "user", "execute_tool", "invoke_agent", "chat", "transfer_to_agent", "transfer_to_billing", "ask_billing_agent", "Task",
    "sendMail", "order_cancel", "get_order", "true", "TRUE ", "0", "1", "-1", "12", "1.5", "1e3", "1_0", " 7", "+3", "inf", "NaN", "0x1",
    "9007199254740993", "é", "\x1ctool\x1f", "ß", "a,b c", "{'a': 1}", "[1, 'x']", "[", '{"a":', "null", '"text"',
    "find it", "true story", "I need", "NaN and more", "-", "[hurry] do it", '{"a": 1} and', '["\\ud800"]', "a\x1eb\x1fc", '{"x": 1e400}',
    '{"$serde_json::private::Number": "1"}',
]  # fmt: skip
_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([*_WORDS, *_WHERE]), st.text(max_size=8)
)
_NAMES = st.sampled_from([
    "role", "type", "content", "parts", "text", "name", "id", "call_id", "arguments", "args", "kwargs", "input", "messages", "tool_calls",
    "function", "task", "agent_name", "to_agent", "usage", "inputTokens", "outputTokens", "model", "raw", "replies", "meta", "x", "é",
    "input_str", "tool_name", "subagent_type", "coworker", "tool_call", "toolUse",
])  # fmt: skip
_JSON = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=14)
_CHAT = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "human", "User", "assistant"])}, optional={"content": _JSON, "parts": _JSON}),
    max_size=3,
)
_VALUES = st.one_of(
    st.sampled_from([*_WORDS, *_WHERE]), st.text(max_size=12), _JSON.map(json.dumps), _CHAT.map(json.dumps),
    _JSON.map(lambda value: json.dumps(json.dumps(value))), _JSON.map(repr),
)  # fmt: skip
_PAIRS = st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=9)
_OPERATION = st.sampled_from(["execute_tool", "chat", "invoke_agent", "handoff", "none"])
_SCOPES = st.sampled_from(["", *sorted({scope for d in dialects() for scope in d.scopes})])
_EVENTS = st.sampled_from(sorted({rule.event for d in dialects() for rule in d.rules if rule.event}))


_TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "pay"}


@st.composite
def _span(draw: st.DrawFn) -> Any:
    pairs = {key: value for key, value in draw(_PAIRS).items() if not key.startswith("@")}
    if draw(st.booleans()):
        pairs["gen_ai.operation.name"] = draw(_OPERATION)
    span = otlp.span(1, pairs, name=draw(st.sampled_from([*_WORDS, *_WHERE, "handoff to billing", "invoke_agent x"])))
    for name in draw(st.lists(_EVENTS, max_size=2)):
        span.events.add(name=name).attributes.extend(otlp.pairs(draw(_PAIRS)))
    span.status.code = draw(st.integers(0, 2))
    return span


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(_span(), _SCOPES), min_size=1, max_size=4), _PAIRS)
@example([(otlp.span(1, {**_TOOL, "gen_ai.tool.call.arguments": '{"$serde_json::private::Number": "1"}'}), "")], {})
def test_spans_with_any_attributes_mean_the_same(spans: list[tuple[Any, str]], resource: dict[str, str]) -> None:
    _agree(decode.decode_traces([otlp.traces(span, scope=scope, resource=resource) for span, scope in spans]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_PAIRS, _VALUES, st.sampled_from(["", *_WHERE])), min_size=1, max_size=4))
def test_log_records_with_any_attributes_mean_the_same(records: list[tuple[dict[str, str], str, str]]) -> None:
    made = otlp.logs(*(otlp.record(body, pairs, event_name=event) for pairs, body, event in records))
    _agree(decode.decode_logs([made]), is_log=True)


_NUMBERS = [0.1, 1.0, -2.5, 1e21, 1e-7, 123456789012345680.0, 5e-324, 1e16, 0.000151157379150390625, 100, -0.0, 2**53]


@pytest.mark.parametrize("number", _NUMBERS)
def test_digests_and_arguments_write_numbers_as_python_does(number: float) -> None:
    said = json.dumps({"b": number, "a": [number]})
    for pairs in ({**_TOOL, "gen_ai.tool.call.arguments": said}, {"openinference.span.kind": "TOOL", "input.value": said}):
        _agree(decode.decode_traces([otlp.traces(otlp.span(1, pairs))]))


@pytest.mark.parametrize(
    ("rule", "says"),
    [({"from": "x", "json": "$..a"}, "JSON path"), ({"from": "x", "extract": "(a(?=b))"}, "look-around"), ({"constant": "1"}, "constant")],
)
def test_rules_that_are_not_done_natively_leave_all_to_the_reference(rule: dict[str, str], says: str) -> None:
    column = "input_tokens" if "constant" in rule else "tool_name"
    own = load({"mine.yaml": {"dialect": "mine", "detect": {"attributes": ["x"]}, "columns": {column: [rule]}}})
    with pytest.raises(ValueError, match=says):
        decode.native().Normaliser(normalise_native.rules(own, normalise.patterns()))
    assert normalise_native._normaliser(decode.native(), own, normalise.patterns()) is None


def test_without_the_native_module_the_reference_answers() -> None:
    decode.choose("python")
    records = decode.decode_traces([otlp.traces(otlp.span(1, {"gen_ai.operation.name": "chat"}))])
    assert normalise.normalise(records).equals(normalise.reference(records))
