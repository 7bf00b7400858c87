"""What is read out of the text a span carries: canonical arguments, their digest, the request. Hostile input never raises.

These run once per distinct text of a batch (`normalise` sees to that), not once per span.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785

REQUEST_LIMIT = 4096
_REQUEST_KEYS = ("input", "task", "question", "query", "request", "prompt", "message", "instruction", "content", "text")


def digest(arguments: str) -> str:
    """`sha256:<hex>` of the arguments in RFC 8785 canonical form; of the plain text where that is no JSON."""
    try:
        canonical = rfc8785.dumps(json.loads(arguments))
    except (ValueError, RecursionError):
        canonical = arguments.encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def request(text: str) -> str | None:
    """What was asked for: the last user message of a message list, the task of an input object, or the text itself."""
    try:
        found = _request(json.loads(text))
    except (ValueError, RecursionError):
        found = text
    return _whole((found or "").strip()[:REQUEST_LIMIT]) or None


def _request(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if value and all(isinstance(item, list) for item in value):
            return _request(value[0])
        asked = [item for item in value if isinstance(item, dict) and _role(item) in ("user", "human")]
        return _text(asked[-1]) if asked else None
    if isinstance(value, dict):
        for key in ("messages", "inputs", "kwargs", "args"):
            if isinstance(value.get(key), (list, dict)) and (found := _request(value[key])):
                return found
        for key in _REQUEST_KEYS:
            if isinstance(value.get(key), str):
                return str(value[key])
    return None


def _role(message: dict[str, Any]) -> str:
    return str(message.get("role") or message.get("type") or "").lower()


def _text(message: Any) -> str | None:
    if isinstance(message, str):
        return message
    if isinstance(message, list):
        return " ".join(filter(None, map(_text, message))) or None
    if isinstance(message, dict):
        for key in ("parts", "content", "text", "kwargs"):
            if message.get(key):
                return _text(message[key])
    return None


def names(text: str) -> list[str]:
    """A list of names from a JSON array, or from text with spaces or commas between them (an OAuth scope)."""
    try:
        value = json.loads(text)
        return [_whole(str(item)) for item in value] if isinstance(value, list) else [_whole(str(value))]
    except (ValueError, RecursionError):
        return text.replace(",", " ").split()


def _whole(text: str) -> str:
    """Text without halves of surrogate pairs, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def boolean(text: str) -> bool | None:
    """True, False, or None for text that is neither."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
