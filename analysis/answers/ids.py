"""Ids as people paste them: UUID dashes, upper case and `0x` are taken off, what is left must be hexadecimal."""

from __future__ import annotations

import re

_HEX = re.compile(r"[0-9a-f]+")


def trace_id(text: str) -> str | None:
    """A trace id as lowercase hex; None when the text cannot be one."""
    return _hex(text, 32)


def span_id(text: str) -> str | None:
    """A span id as lowercase hex; None when the text cannot be one."""
    return _hex(text, 16)


def _hex(text: str, length: int) -> str | None:
    bare = text.strip().lower().removeprefix("0x").replace("-", "")
    return bare if len(bare) == length and _HEX.fullmatch(bare) and bare.strip("0") else None
