"""Content off: the text is gone, what the rest needs is there."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorscope.ingest import content
from actorscope.ingest.mask import PREFIX, Mask, is_content, is_content_body, load_key

MASK = Mask(b"k" * 32)
_MESSAGES = [
    {"role": "user", "parts": [{"type": "text", "content": "Refund order 88 to Ada Lovelace"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "refund", "arguments": {"order": "88", "sum": 20}}]},
]


@pytest.mark.parametrize(
    "key",
    ["gen_ai.input.messages", "gen_ai.prompt.0.content", "input.value", "gen_ai.tool.call.arguments", "gen_ai.system_instructions",
     "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", "ai.prompt", "traceloop.entity.output", "genkit:input"],
)  # fmt: skip
def test_keys_of_content_are_known_in_every_vocabulary(key: str) -> None:
    assert is_content(key)


@pytest.mark.parametrize(
    "key", ["gen_ai.usage.input_tokens", "gen_ai.prompt.name", "gen_ai.tool.name", "ai.response.model", "input.mime_type", "user.id"]
)
def test_other_keys_are_left_alone(key: str) -> None:
    assert not is_content(key)


def test_messages_keep_their_shape_and_lose_their_text() -> None:
    masked = MASK.text("gen_ai.input.messages", json.dumps(_MESSAGES))
    assert "Ada" not in masked and '"88"' not in masked
    user, call = json.loads(masked)
    assert user["role"] == "user" and user["parts"][0]["type"] == "text"
    assert user["parts"][0]["content"].startswith(PREFIX)
    assert call["parts"][0]["name"] == "refund" and call["parts"][0]["id"] == "c1"
    assert all(str(v).startswith(PREFIX) for v in call["parts"][0]["arguments"].values())
    assert content.request(masked) == user["parts"][0]["content"], "the request is recognised by its fingerprint"
    (asked,) = json.loads(content.tool_calls(masked) or "[]")
    assert asked["name"] == "refund"


def test_equal_arguments_have_equal_digests_and_others_do_not() -> None:
    def of(arguments: Any, mask: Mask = MASK) -> str:
        return content.digest(mask.text("gen_ai.tool.call.arguments", json.dumps(arguments)))

    assert of({"a": 1, "b": "x"}) == of({"b": "x", "a": 1})
    assert of({"a": 1}) != of({"a": 2})
    assert of({"a": 1}) != of({"a": 1}, Mask(b"other" * 8)), "without the key nobody can try texts out"


def test_a_hand_off_still_names_its_agent_and_nothing_else() -> None:
    masked = json.loads(MASK.text("gen_ai.tool.call.arguments", '{"agent_name": "billing", "name": "Ada", "text": "hello"}'))
    assert masked["agent_name"] == "billing"
    assert masked["name"].startswith(PREFIX) and masked["text"].startswith(PREFIX)


def test_token_counts_inside_content_survive() -> None:
    masked = json.loads(MASK.text("genkit:output", '{"raw": {"model": "g"}, "usage": {"inputTokens": 12}, "text": "hi", "n": 7}'))
    assert masked["usage"] == {"inputTokens": 12} and masked["raw"] == {"model": "g"}
    assert masked["n"].startswith(PREFIX)


@pytest.mark.parametrize(("key", "text", "is_kept"), [
    ("gen_ai.prompt.0.role", "user", True), ("gen_ai.prompt.0.content", "user", False), ("input.value", "", True),
    ("input.value", "{}", True), ("gen_ai.prompt.0.role", "x" * 500, False), ("input.value", PREFIX + "a" * 32, True),
])  # fmt: skip
def test_plain_text(key: str, text: str, is_kept: bool) -> None:
    assert (MASK.text(key, text) == text) is is_kept


_SECRET = "Zanzibar-4711-Quux"
_KEYS = ["text", "content", "arguments", "args", "x"]
_JSON = st.recursive(
    st.sampled_from([None, True, 3, 1.5, _SECRET, f"so {_SECRET} it is", json.dumps({"x": [_SECRET]}), ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(_JSON)
def test_no_text_gets_through_whatever_its_shape(value: Any) -> None:
    for key in ("gen_ai.input.messages", "gen_ai.tool.call.arguments", "output"):
        for text in (json.dumps(value), str(value), json.dumps(value)[:-1]):
            assert _SECRET not in MASK.text(key, text)


def test_hostile_nesting_ends() -> None:
    deep = "[" * 5000 + "1" + "]" * 5000
    nested = json.dumps(_SECRET)
    for _ in range(12):
        nested = json.dumps([nested])
    for text in (deep, nested, '{"a":' * 2000):
        assert _SECRET not in MASK.text("gen_ai.input.messages", text)


def test_halves_of_surrogate_pairs_are_no_obstacle() -> None:
    masked = MASK.text("gen_ai.input.messages", r'[{"role": "\ud800", "\udfff": "secret"}]')
    assert masked.startswith('[{"role": "?", "?": "hmac-sha256:') and masked.encode()


def test_bodies_of_log_records() -> None:
    assert is_content_body("gen_ai.user.message") and is_content_body("")
    assert not is_content_body("actorscope.approval.request")


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "fingerprint.key"
    key = load_key(path)
    assert len(key) == 32 and load_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
