"""Text and records from strangers: reading them never raises and takes bounded time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest import otlp

from actorscope.ingest import content, handoffs
from actorscope.ingest.decode import decode_logs, decode_traces
from actorscope.ingest.normalise import normalise, normalise_logs
from actorscope.semconv.dialects import columns, dialects

_WORDS = [
    "tool_calls", "type", "tool_call", "function", "name", "arguments", "id", "toolUse", "functionCall", "parts", "args", "kwargs",
    "input_str", "input", "function_call", "tool_name", "sanitize_inputs_outputs", "content",
]  # fmt: skip
_LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([*_WORDS, "\ud800", "\x00", "{'a': 1}", '[{"', "<a.B object>"])
    | st.text(max_size=5)
)
_JSON = st.recursive(
    _LEAF, lambda i: st.lists(i, max_size=4) | st.dictionaries(st.sampled_from(_WORDS), i, max_size=4), max_leaves=12
)
_NESTED = (
    st.builds(json.dumps, _JSON)
    | st.builds(lambda v: json.dumps({"content": json.dumps(v)}), _JSON)
    | st.builds(repr, _JSON)
)
_FLAT = st.lists(
    st.tuples(st.text(st.sampled_from("a.0129 toolcas_"), max_size=20), st.text(max_size=8)), max_size=8
).map(lambda pairs: content.AND.join(f"{key}{content.IS}{value}" for key, value in pairs))
_TEXT = _NESTED | _FLAT | st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(text=_TEXT)
def test_any_text_has_calls_and_arguments_or_has_none(text: str) -> None:
    found = content.tool_calls(text)
    assert found is None or all(
        set(map(type, call.values())) == {str} and set(call) == {"id", "name", "arguments"}
        for call in json.loads(found)
    )
    assert found is None or found.encode()
    assert isinstance(content.arguments(text), str)


def _calls(n: int) -> str:
    return json.dumps([{"type": "tool_use", "id": str(k), "name": "x", "input": {}} for k in range(n)])


def _wrapped(depth: int) -> str:
    text = '{"type": "tool_use", "name": "x", "input": {}}'
    for _ in range(depth):
        text = json.dumps({"content": text})
    return text


_HUGE: dict[str, Callable[[], str]] = {
    "deep lists": lambda: "[" * 200_000, "closed lists": lambda: "[" * 90_000 + "]" * 90_000,
    "deep objects": lambda: '{"a":' * 50_000 + "1" + "}" * 50_000,
    "deep calls": lambda: '{"tool_calls":[' * 900 + "]}" * 900, "deep literals": lambda: "{'a':" * 190 + "1" + "}" * 190,
    "literal lists": lambda: "[" * 199 + "]" * 199,
    "minus signs": lambda: "[" + "-" * 60_000 + "1]", "sums": lambda: "{'a':" + "1+" * 30_000 + "1}", "powers": lambda: "{'a': 9**9**9**9}",
    "tuples": lambda: "{" + "(" * 5000 + ")" * 5000 + "}", "long literal": lambda: "['" + "x" * 60_000 + "']",
    "long digits": lambda: "{'a':" + "9" * 50_000 + "}",
    "json digits": lambda: '{"a":' + "9" * 100_000 + "}", "many calls": lambda: _calls(20_000), "text in text": lambda: _wrapped(12),
    "dots": lambda: "." * 100_000 + content.IS + "x", "long path": lambda: "a." * 900 + "b" + content.IS + "x",
    "longer path": lambda: "a." * 100_000 + "b" + content.IS + "x",
    "many keys": lambda: content.AND.join(f"a.{n}.tool_calls.0.name{content.IS}x" for n in range(20_000)),
    "wide numbers": lambda: f"{'9' * 5000}.tool_calls.0.name{content.IS}x", "digits of others": lambda: f"٣.²{content.IS}x",
    "NUL": lambda: '{"a": "\x00"}\x00',
    "surrogates": lambda: '[{"type":"tool_use","name":"\\ud800","id":"\\udfff","input":"\\ud800"}]', "quotes": lambda: '"' * 200_000,
    "backslashes": lambda: '{"a":"' + "\\" * 100_001,
}  # fmt: skip


@pytest.mark.parametrize("name", _HUGE)
def test_hostile_text_is_read_in_bounded_time(name: str) -> None:
    text, began = _HUGE[name](), time.monotonic()
    found = content.tool_calls(text)
    assert found is None or found.encode()
    assert content.digest(content.arguments(text)).startswith("sha256:")
    content.request(text)
    assert time.monotonic() - began < 2


_TOOLS = st.text(max_size=12) | st.sampled_from(
    ["transfer_to_agent", "task", "transfer_to_\x00", "ask_\n", "Delegate work to coworker", "a" * 10_000]
)


@settings(max_examples=150, deadline=None)
@given(tool=st.none() | _TOOLS, arguments=st.none() | _TEXT)
def test_any_tool_and_arguments_name_an_agent_or_none(tool: str | None, arguments: str | None) -> None:
    texts = {
        "tool": [tool],
        "arguments": [None if arguments is None else arguments.encode("utf-8", "replace").decode()],
    }
    frame = pl.DataFrame(texts, schema={"tool": pl.String, "arguments": pl.String})
    name, said = pl.col("tool"), pl.col("arguments")
    row = frame.select(
        handoffs.target(name, said).alias("a"), handoffs.mode(name).alias("b"), handoffs.agent_in(name).alias("c")
    ).row(0)
    assert row[1] in (None, "pass_control", "return_to_caller")


def test_long_names_of_tools_are_read_in_bounded_time() -> None:
    names = ["transfer_to_" + "_agent" * 20_000, "ask_" * 30_000, "_agent" * 30_000, "A" * 300_000]
    frame, began = pl.DataFrame({"tool": names, "arguments": ["{" * 100_000] * 4}), time.monotonic()
    frame.select(handoffs.target(pl.col("tool"), pl.col("arguments")), handoffs.agent_in(pl.col("tool")).alias("agent"))
    assert time.monotonic() - began < 2


_NAMES = frozenset(column.name for column in columns())
_KEYS = sorted(
    {key for d in dialects() for rule in d.rules for key in rule.attribute_keys(_NAMES)}
    | {c.attribute for c in columns()}
)
_INDEXED = [
    "gen_ai.completion.0.tool_calls.0.name",
    "llm.output_messages.9.message.tool_calls.x",
    "gen_ai.completion.٣.tool_calls.0.name",
]
_EVENTS = sorted(
    {rule.event for d in dialects() for rule in d.rules if rule.event}
    | {v for d in dialects() for r in d.rules for v in r.where.get("@event", ())}
)
_VALUES: st.SearchStrategy[Any] = (
    _NESTED | st.text(max_size=12) | st.integers(-5, 2**62) | st.floats() | st.booleans() | st.binary(max_size=4)
)
_VALUES = _VALUES.map(lambda v: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v)
_ATTRIBUTES = st.dictionaries(st.sampled_from([*_KEYS, *_INDEXED]), _VALUES, max_size=10)


@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(st.tuples(_ATTRIBUTES, _VALUES, st.sampled_from([*_EVENTS, "", "\x00"])), min_size=1, max_size=4)
)
def test_any_record_is_normalised(records: list[tuple[dict[str, Any], Any, str]]) -> None:
    made = [otlp.record(body, attributes, event_name=event) for attributes, body, event in records]
    table = normalise_logs(decode_logs([otlp.logs(*made)]))
    assert table.num_rows == len(records)


@settings(max_examples=40, deadline=None)
@given(given_=_ATTRIBUTES, told=_ATTRIBUTES, event=st.sampled_from(_EVENTS))
def test_any_event_and_resource_is_normalised(given_: dict[str, Any], told: dict[str, Any], event: str) -> None:
    span = otlp.span(1, given_)
    for _ in range(2):
        span.events.add(name=event).attributes.extend(
            otlp.pairs({**told, "message": "{", "content": "[[", "exception.type": "\n"})
        )
    table = normalise(decode_traces([otlp.traces(span, otlp.span(2), resource=told)]))
    assert table.num_rows == 2 and table.to_pylist()[1]["operation"] in (None, "")
