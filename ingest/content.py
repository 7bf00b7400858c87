"""What is read out of the text a span carries: canonical arguments, their digest, the request. Hostile input never raises.

These run once per distinct text of a batch (`normalise` sees to that), not once per span.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from typing import Any

import rfc8785

REQUEST_LIMIT = 4096
IS, AND = "\x1e", "\x1f"
"""Between key and value, and between pairs, where many attributes are handed over as one text."""
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


def tool_calls(text: str) -> str | None:
    """The tool calls in a model's answer as JSON `[{"id", "name", "arguments"}]`, arguments as text; None without any.

    Takes a message, a list of messages or parts, or attributes with an index in their keys, in any vocabulary: a call
    is whatever has a name and arguments and is said to be a call.
    """
    found: list[dict[str, str]] = []
    try:
        _find_calls(_indexed(text) if IS in text else json.loads(text), found)
    except (ValueError, RecursionError):
        return None
    return json.dumps(found) if found else None


_CALL_TYPES = ("tool_call", "function_call", "tool_use", "tool-call", "function", "functionCall")
_NAME_KEYS, _ID_KEYS = (
    ("name", "toolName", "tool_name"),
    ("id", "call_id", "toolCallId", "toolUseId", "tool_call_id", "ref"),
)
_ARGUMENT_KEYS = ("arguments", "args", "input", "arguments_json", "tool_kwargs")
_WRAPS = ("function", "toolUse", "functionCall", "function_call", "tool_call", "toolRequest")


def _find_calls(value: Any, found: list[dict[str, str]], is_call: bool = False) -> None:
    if isinstance(value, str) and value[:1] in "[{" and len(found) < 1000:
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, list):
        for item in value:
            _find_calls(item, found, is_call)
    elif isinstance(value, dict):
        name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
        arguments = next((value[key] for key in _ARGUMENT_KEYS if key in value), None)
        if (
            name
            and (is_call or value.get("type", value.get("block_type")) in _CALL_TYPES)
            and (arguments is not None or is_call)
        ):
            call_id = next((value[key] for key in _ID_KEYS if isinstance(value.get(key), str)), "")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments if arguments is not None else {})
            found.append({"id": _whole(call_id), "name": _whole(name), "arguments": _whole(text)})
            return
        for key, inner in value.items():
            if key in _WRAPS and isinstance(inner, dict):
                outer = {k: value[k] for k in _ID_KEYS if k in value}
                _find_calls({**outer, **inner}, found, True)
            elif isinstance(inner, (list, dict, str)) and key not in _ARGUMENT_KEYS:
                _find_calls(inner, found, key in ("tool_calls", "toolCalls", "function_calls"))


def _indexed(text: str) -> Any:
    """Attributes with dots and numbers in their keys as nested objects; numbers become keys, order is kept."""
    root: dict[str, Any] = {}
    for pair in text.split(AND):
        key, _, value = pair.partition(IS)
        place, parts = root, key.split(".")
        for part in parts[:-1]:
            inner = place.get(part)
            place[part] = place = inner if isinstance(inner, dict) else {}
        place[parts[-1]] = value
    return _lists(root)


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(inner) for key, inner in value.items()}


def arguments(text: str) -> str:
    """The arguments of a tool as they were meant: without `args`/`kwargs` and other wrapping, as JSON where they are a
    Python literal; the text itself where nothing of this applies.
    """
    try:
        value = _literal(text)
        if isinstance(value, dict) and isinstance(value.get("input_str"), str):
            value = _literal(value["input_str"])
        if isinstance(value, dict) and "kwargs" in value and set(value) <= _WRAPPING:
            value = _unwrapped(value)
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if not (isinstance(v, str) and _OBJECT.match(v))}
        return json.dumps(value) if isinstance(value, (dict, list)) else text
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text


_OBJECT = re.compile(r"<[\w.]+ object(?: at 0x[0-9a-f]+)?>")
_WRAPPING = {"args", "kwargs", "sanitize_inputs_outputs", "tool_name"}
_LITERAL_LIMIT = 65_536


def _literal(text: str) -> Any:
    """A JSON value, or a Python literal as `repr` writes it; ValueError for anything else."""
    try:
        return json.loads(text)
    except ValueError:
        if text[:1] not in "{[" or len(text) > _LITERAL_LIMIT or max(text.count("["), text.count("{")) > 200:
            raise
        return ast.literal_eval(text)


def _unwrapped(value: dict[str, Any]) -> Any:
    args, kwargs = value.get("args"), value.get("kwargs")
    if not args:
        return kwargs if isinstance(kwargs, dict) else {}
    return args[0] if not kwargs and isinstance(args, list) and len(args) == 1 and isinstance(args[0], dict) else value


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
