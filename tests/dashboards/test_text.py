"""Text that strangers wrote stays text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorscope.dashboards.parts.text import deep, label, line, visible

_BIDI = "\u202e\u2066\u200b\u200f\ufeff"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "![x](http://evil)",
        "[a](javascript:alert(1))",
        "http://evil.example www.evil.example me@evil.example",
        ":red[x] :material/home: :smile: $x$ `code` **bold** ~~gone~~",
        "# heading",
        "a -> b <- c -- d",
        "| a | b |\n|---|---|",
    ],
)
def test_a_label_has_no_mark_of_markdown_that_is_not_escaped(text: str) -> None:
    shown = label(text)
    for at, character in enumerate(shown):
        if character in r"!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~":
            assert shown[at - 1] == "\\" or character == "\\", f"{character!r} in {shown!r}"
    bare = shown.replace("\\", "")
    for alive in ("://", "www.", "@evil", ":red", ":material", ":smile", "->", "<-", "--", "\n"):
        assert alive not in bare


def test_what_cannot_be_seen_becomes_visible() -> None:
    assert visible("\x1b[31mred\x1b[0m\x07") == "\\x1b[31mred\\x1b[0m\\x07"
    assert visible(_BIDI) == "\\u202e\\u2066\\u200b\\u200f\\ufeff"
    assert visible("Zürich 東京 🙂 tab\tline\n") == "Zürich 東京 🙂 tab\tline\n"
    assert line("a\nb\tc") == "a ⏎ b c"
    assert visible(None) == "" and visible(7) == "7"


def test_a_megabyte_is_cut_and_costs_nothing() -> None:
    began = time.monotonic()
    assert visible("x" * 1_000_000) == "x" * 2000 + "… (1,000,000 characters)"
    assert len(label("*" * 1_000_000)) < 1000
    assert time.monotonic() - began < 0.1


def test_json_is_made_visible_to_its_leaves() -> None:
    assert deep({"a\x00": ["\x1b", 1, None, {"k": _BIDI[0]}]}) == {"a\\x00": ["\\x1b", 1, None, {"k": "\\u202e"}]}


@given(st.text())
def test_any_text_gives_one_line_without_controls(text: str) -> None:
    shown = line(text)
    assert "\n" not in shown and "\x1b" not in shown and "\u202e" not in shown
    label(text).encode()
