"""What is read out of text: the same arguments have one digest, and the request is what the user asked."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actorscope.ingest import content

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner),
    max_leaves=8,
)  # fmt: skip


def _turned(value: object) -> object:
    """The same value with the keys of every object in the other order."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return list(map(_turned, value)) if isinstance(value, list) else value


@settings(max_examples=100, deadline=None)
@given(value=_json, indent=st.sampled_from([None, 0, 3]), ascii_only=st.booleans())
def test_the_way_arguments_are_written_does_not_change_the_digest(value: object, indent: int, ascii_only: bool) -> None:
    other = json.dumps(_turned(value), indent=indent, ensure_ascii=ascii_only)
    assert content.digest(json.dumps(value)) == content.digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":[{"x":1,"y":2}]}', '{ "b": [ {"y": 2, "x": 1} ], "a": 1 }'),
        ('{"n":1}', '{"n":1.0}'),
        ('{"n":100}', '{"n":1e2}'),
        ('{"n":0}', '{"n":-0.0}'),
        ('{"s":"é/"}', '{"s":"\\u00e9\\/"}'),
        ('{"s":"\\ud83d\\ude00"}', '{"s":"😀"}'),
    ],
)
def test_equal_arguments_have_equal_digests(one: str, other: str) -> None:
    assert content.digest(one) == content.digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("[1,2]", "[2,1]"), ('{"a":"1"}', '{"a":1}'), ('{"s":"é"}', '{"s":"e\\u0301"}'), ("a b", "a  b"), ("null", '""')],
)
def test_different_arguments_have_different_digests(one: str, other: str) -> None:
    assert content.digest(one) != content.digest(other)


def test_the_digest_is_that_of_rfc_8785() -> None:
    expected = hashlib.sha256(b'{"a":2,"b":[1,"\xc3\xa9"]}').hexdigest()
    assert content.digest('{"b": [1.0, "\\u00e9"], "a": 2}') == f"sha256:{expected}"
    assert content.digest("no json") == f"sha256:{hashlib.sha256(b'no json').hexdigest()}"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Refund 7", "Refund 7"),
        ('"Refund 7"', "Refund 7"),
        ('{"task": "Refund 7", "id": 3}', "Refund 7"),
        ('[{"role":"user","content":"first"},{"role":"assistant","content":"?"},{"role":"user","content":"last"}]', "last"),
        ('[{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}]', "one two"),
        ('{"messages":[{"type":"human","content":"Refund 7"}]}', "Refund 7"),
        ('[[{"role":"user","content":"Refund 7"}]]', "Refund 7"),
        ('{"args":[],"kwargs":{"question":"Refund 7"}}', "Refund 7"),
        ('[{"role":"assistant","content":"hello"}]', None),
        ("", None),
        ("   ", None),
        ("17", None),
        ('{"input": "go \\ud800"}', "go ?"),
    ],
)  # fmt: skip
def test_the_request_is_what_the_user_asked(text: str, asked: str | None) -> None:
    assert content.request(text) == asked


def test_a_request_is_cut_to_its_limit() -> None:
    assert content.request("x" * 10_000) == "x" * content.REQUEST_LIMIT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["a","b"]', ["a", "b"]), ("a b,c", ["a", "b", "c"]), ("", []), ("[]", []), ("7", ["7"]), ('"a b"', ["a b"]),
        ('["\\ud800"]', ["?"]),
    ],
)  # fmt: skip
def test_names_come_from_a_list_or_from_words(text: str, expected: list[str]) -> None:
    assert content.names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), (" TRUE ", True), ("1", True), ("false", False), ("no", None)]
)
def test_a_boolean_is_read_or_is_none(text: str, expected: bool | None) -> None:
    assert content.boolean(text) is expected


_TEXTS = st.text(max_size=60) | st.text(st.sampled_from('[]{}",:\\ud8"0e-1 nulltrue'), max_size=60)


@settings(max_examples=200, deadline=None)
@given(text=_TEXTS)
def test_no_text_is_too_strange(text: str) -> None:
    asked = content.request(text)
    assert asked is None or asked.encode()
    assert content.digest(text).startswith("sha256:")
    assert all(name.encode() or name == "" for name in content.names(text))
    content.boolean(text)


@pytest.mark.parametrize("depth", [10, *range(900, 1000, 3), 100_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"messages":', "}"), ('[{"role":"user","content":', "}]")])
def test_no_text_is_too_deep(brackets: str, depth: int) -> None:
    text = brackets[0] * depth + '"x"' + brackets[1] * depth
    content.request(text)
    content.names(text)
    assert content.digest(text).startswith("sha256:")


ONE = [{"id": "k", "name": "send", "arguments": '{"n": 1}'}]


@pytest.mark.parametrize(
    "answer",
    [
        [{"role": "assistant", "tool_calls": [{"id": "k", "type": "function", "function": {"name": "send", "arguments": '{"n": 1}'}}]}],
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "k", "name": "send", "arguments": {"n": 1}}]},
        [{"type": "tool_use", "id": "k", "name": "send", "input": {"n": 1}}],
        [{"toolUse": {"toolUseId": "k", "name": "send", "input": {"n": 1}}}],
        {"output": [{"type": "function_call", "call_id": "k", "name": "send", "arguments": '{"n": 1}'}]},
        {"content": {"parts": [{"functionCall": {"id": "k", "name": "send", "args": {"n": 1}}}]}},
        [{"toolCallId": "k", "toolName": "send", "type": "tool-call", "input": '{"n": 1}'}],
        {"generations": [[{"message": {"kwargs": {"tool_calls": [{"name": "send", "args": {"n": 1}, "id": "k", "type": "tool_call"}]}}}]]},
        {"content": json.dumps([{"type": "tool_use", "id": "k", "name": "send", "input": {"n": 1}}])},
    ],
)  # fmt: skip
def test_a_tool_call_is_found_in_any_vocabulary(answer: object) -> None:
    assert json.loads(content.tool_calls(json.dumps(answer)) or "null") == ONE


@pytest.mark.parametrize(
    "answer",
    [
        {"role": "assistant", "content": "send {n: 1}"}, [], {}, "text", 7, None, {"name": "send", "arguments": "{}"},
        [{"type": "text", "name": "send", "text": "x"}], {"tools": [{"type": "function", "function": {"description": "x"}}]},
        {"content": '[{"type": "tool_use", broken'}, {"tool_calls": []}, {"tool_calls": [{"id": "k"}]},
    ],
)  # fmt: skip
def test_what_is_no_call_is_not_found(answer: object) -> None:
    assert content.tool_calls(json.dumps(answer)) is None


def test_a_call_inside_the_arguments_of_a_call_is_not_asked_for() -> None:
    outer = {
        "type": "tool_use",
        "id": "k",
        "name": "send",
        "input": {"tool_calls": [{"id": "x", "name": "in", "arguments": "{}"}]},
    }
    assert [call["name"] for call in json.loads(content.tool_calls(json.dumps([outer])) or "[]")] == ["send"]


def _flat(attributes: dict[str, str]) -> str:
    return content.AND.join(f"{key}{content.IS}{value}" for key, value in attributes.items())


@pytest.mark.parametrize("prefix", ["gen_ai.completion.0.tool_calls", "llm.output_messages.0.message.tool_calls"])
def test_calls_in_keys_with_an_index_come_in_the_order_of_their_numbers(prefix: str) -> None:
    inner = "tool_call.function." if prefix.startswith("llm") else ""
    keys = {
        f"{prefix}.{n}.{inner}{field}": value
        for n in (10, 2, 0)
        for field, value in (("name", f"t{n}"), ("arguments", "{}"))
    }
    assert [call["name"] for call in json.loads(content.tool_calls(_flat(keys)) or "[]")] == ["t0", "t2", "t10"]


def test_a_key_that_is_both_a_value_and_a_place_does_no_harm() -> None:
    assert content.tool_calls(
        _flat({"a.tool_calls": "x", "a.tool_calls.0.name": "send", "a.tool_calls.0.arguments": "{}"})
    )
    assert content.tool_calls(_flat({"": "", ".": "x", "..": "y"})) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"n": 1}', '{"n": 1}'), ("{'n': 1}", '{"n": 1}'), ("{'n': None, 'b': True}", '{"n": null, "b": true}'), ("plain", "plain"),
        ('{"args": [], "kwargs": {"n": 1}}', '{"n": 1}'), ('{"args": [{"n": 1}], "kwargs": {}}', '{"n": 1}'),
        ('{"tool_name": "x", "kwargs": {"n": 1}}', '{"n": 1}'), ('{"input_str": "{\'n\': 1}"}', '{"n": 1}'),
        ('{"args": [1, 2], "kwargs": {"n": 1}}', '{"args": [1, 2], "kwargs": {"n": 1}}'),
        ('{"kwargs": {"n": 1}, "more": 2}', '{"kwargs": {"n": 1}, "more": 2}'),
        ('{"n": 1, "self": "<my.Tool object at 0x7f>"}', '{"n": 1}'), ("7", "7"), ('"a"', '"a"'), ("", ""), ("{'n': x}", "{'n': x}"),
        ("__import__('os')", "__import__('os')"),
    ],
)  # fmt: skip
def test_arguments_come_without_the_wrapping_of_the_framework(text: str, meant: str) -> None:
    assert content.arguments(text) == meant


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(st.sampled_from(["n", "to", "x"]), _json, max_size=3))
def test_arguments_in_any_wrapping_are_the_same_arguments(value: dict[str, object]) -> None:
    plain = content.arguments(json.dumps(value))
    assert content.digest(content.arguments(json.dumps({"args": [], "kwargs": value}))) == content.digest(plain)
    assert content.digest(content.arguments(plain)) == content.digest(plain)
