"""Text that strangers wrote, made safe to show: what cannot be seen becomes visible, what is long is cut.

Span names, attributes and titles are under the control of whoever controls an agent. `visible` is for places that show
plain text (`st.text`, `st.code`, tables, charts); `label` is for those that render Markdown (headings, buttons, tabs).
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
# Streamlit finds links, emoji and icons in text that has no backslash left: a word joiner takes the words apart.
_JOINER = "\u2060"
_LIVE = re.compile(r"(:|@|www(?=\\?\.)|-(?=\\?[->])|<(?=\\?-))", re.I)


def visible(text: object, limit: int = 2000) -> str:
    """Plain text of at most about `limit` characters; control, bidirectional and invisible characters as escapes."""
    whole = text if isinstance(text, str) else "" if text is None else str(text)
    head = whole[:limit]
    shown = head if head.isprintable() else "".join(_seen(c) for c in head)
    if len(whole) <= limit:
        return shown
    return f"{shown}… ({len(whole):,} characters)" if limit >= 1000 else f"{shown}…"


def line(text: object, limit: int = 200) -> str:
    """`visible` on one line."""
    return visible(text, limit).replace("\t", " ").replace("\n", " ⏎ ")


def label(text: object, limit: int = 200) -> str:
    """One line for places that render Markdown: every mark of it is inert."""
    inert = _MARKDOWN.sub(r"\\\1", line(text, limit))
    return _LIVE.sub(lambda found: found.group(0) + _JOINER, inert)


def sentence(text: str) -> str:
    """With a capital at its head."""
    return text[:1].upper() + text[1:]


def deep(value: object, limit: int = 2000) -> object:
    """`visible` for every text in a value that is shown as JSON, keys included."""
    if isinstance(value, dict):
        return {visible(key, 200): deep(item, limit) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [deep(item, limit) for item in value]
    return visible(value, limit) if isinstance(value, str) else value


def _seen(character: str) -> str:
    if character in "\n\t" or character == " " or unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
