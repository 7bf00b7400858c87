"""Text of spans on its way into other people's tools: whoever controls an agent writes the names in it."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def plain(text: str, limit: int) -> str:
    """One line of visible characters: no terminal codes, no control or direction marks, at most `limit` long."""
    seen = _ESCAPES.sub("", str(text)[: limit * 4])
    shown = (" " if letter in "\r\n\t" else letter for letter in seen)
    line = " ".join("".join(letter for letter in shown if unicodedata.category(letter) not in _HIDDEN).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
