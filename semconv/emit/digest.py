"""Digests of arguments and keys: equal input, equal digest, here and in the backend. Content itself never leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

_SAFE = 2**53 - 1
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')


def digest(value: Any, *, key: bytes | None = None) -> str | None:
    """`sha256:<hex>` of a JSON value in RFC 8785 form, or `hmac-sha256:<hex>` with a key; None where that is not certain.

    Text is taken for JSON text, as models send arguments; text that is no JSON is digested as it is.
    """
    try:
        canonical = _of_text(value) if isinstance(value, str) else canonicalise(value)
    except (ValueError, RecursionError):
        return None
    return _sealed(canonical, key)


def of_key(text: str, *, key: bytes | None = None) -> str:
    """Digest of an idempotency key: of the text as it is, because a key is no JSON."""
    return _sealed(text.encode("utf-8", "surrogatepass"), key)


def _sealed(data: bytes, key: bytes | None) -> str:
    if key:
        return "hmac-sha256:" + hmac.new(key, data, hashlib.sha256).hexdigest()
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _of_text(text: str) -> bytes:
    try:
        return canonicalise(json.loads(text))
    except (ValueError, RecursionError):
        return text.encode("utf-8", "surrogatepass")


def canonicalise(value: Any) -> bytes:
    """RFC 8785 bytes of None, booleans, numbers, text, lists and mappings of them. ValueError for everything else.

    Integers beyond 2**53-1, infinities and halves of surrogate pairs are refused: JSON readers disagree about them.
    """
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _write(value: Any, parts: list[str]) -> None:
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        parts.append(_text(value))
    elif isinstance(value, int):
        if abs(value) > _SAFE:
            raise ValueError("an integer that a double cannot hold")
        parts.append(str(int(value)))
    elif isinstance(value, float):
        parts.append(_double(float(value)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            parts.append("," if index else "[")
            _write(item, parts)
        parts.append("]" if value else "[]")
    elif isinstance(value, Mapping):
        _write_object(value, parts)
    else:
        raise ValueError(f"{type(value).__name__} is no JSON")


def _write_object(value: Mapping[Any, Any], parts: list[str]) -> None:
    if not all(isinstance(name, str) for name in value):
        raise ValueError("names in an object must be text")
    # RFC 8785 3.2.3 sorts by UTF-16 code units, in which U+1F600 stands before U+FB33.
    for index, name in enumerate(sorted(value, key=lambda name: name.encode("utf-16-be"))):
        parts.extend(("," if index else "{", _text(name), ":"))
        _write(value[name], parts)
    parts.append("}" if value else "{}")


def _text(value: str) -> str:
    value.encode("utf-8")  # refuses halves of surrogate pairs
    return '"' + _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", value) + '"'


def _double(value: float) -> str:
    """As ECMAScript prints it (ECMA-262 Number::toString); the shortest digits are those of Python's repr."""
    if not isfinite(value):
        raise ValueError("not a finite number")
    if value == 0:
        return "0"
    sign, found, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)  # it is text for infinities only
    point = len(found) + exponent
    digits = "".join(map(str, found)).lstrip("0")
    point -= len(found) - len(digits)
    digits = digits.rstrip("0")
    minus = "-" if sign else ""
    if len(digits) <= point <= 21:
        return minus + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"
