"""Content without its text: the shape of what was said stays, every text becomes a fingerprint.

Equal texts have equal fingerprints under one key, so that repetitions are still recognised, and hand-offs, roles, names of
tools and token counts survive. Without the key nobody can try out what a text was.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import rfc8785
import yaml

from actorscope.ingest import handoffs
from actorscope.semconv.dialects import dialects

PREFIX = "hmac-sha256:"
ORIGINAL = "actorscope.edge.original."
"""Before the key of an attribute that stood where the Collector plugin wrote a canonical one."""
_HEX = 32
_KEEP = frozenset({"", "{}", "[]", "null", "None", "N/A", "<REDACTED>", "true", "false", "True", "False"})
_SHORT = 128
_DEEP = 64
_CONTENT_COLUMNS = ("request", "arguments", "result", "tool_calls")


class Mask:
    """Masks content under one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def fingerprint(self, text: str) -> str:
        """`hmac-sha256:` and 128 bits in hex; a fingerprint stays as it is."""
        if text.startswith(PREFIX):
            return text
        return PREFIX + hmac.new(self._key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:_HEX]

    def text(self, key: str, text: str) -> str:
        """The value of a content attribute: masked JSON where it is JSON, else its fingerprint."""
        last = key.rpartition(".")[2]
        is_strict = last in _words("arguments") or _is_arguments(key)
        if text in _KEEP or (last in _words("shape") and len(text) <= _SHORT and not is_strict):
            return text
        return self._text(text, is_strict, 0)

    def number(self, key: str, text: str) -> str:
        """The value of a content attribute that is a number: kept where it counts something."""
        is_count = any(word in key.lower() for word in _words("counted"))
        return text if is_count else self.fingerprint(text)

    def _text(self, text: str, is_strict: bool, depth: int) -> str:
        if text in _KEEP:
            return text
        if text[:1] in ("{", "[") and depth < _DEEP:
            try:
                masked = json.dumps(self._value("", json.loads(text), is_strict, depth + 1), ensure_ascii=False)
                # JSON can spell halves of surrogate pairs in a key, UTF-8 cannot.
                return masked.encode("utf-8", "replace").decode()
            except (ValueError, RecursionError):
                pass
        return self.fingerprint(text)

    def _value(self, key: str, value: Any, is_strict: bool, depth: int) -> Any:
        """A value below `key`; keys stay, since what a tool takes is its interface."""
        if depth > _DEEP:
            return self.fingerprint(json.dumps(value))
        if isinstance(value, dict):
            return {
                k: self._value(k, v, is_strict or k in _words("arguments"), depth + 1) for k, v in value.items()
            }
        if isinstance(value, list):
            return [self._value(key, item, is_strict, depth + 1) for item in value]
        if isinstance(value, str):
            is_shape = key in handoffs.argument_names() or (key in _words("shape") and not is_strict)
            return value if is_shape and len(value) <= _SHORT else self._text(value, is_strict, depth)
        if isinstance(value, bool) or value is None:
            return value
        is_count = any(word in key.lower() for word in _words("counted"))
        return value if is_count and not is_strict else self.fingerprint(_canonical(value))


def _canonical(value: Any) -> str:
    try:
        return rfc8785.dumps(value).decode()
    except ValueError:
        return repr(value)


@cache
def _raw() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.safe_load(files("actorscope.semconv").joinpath("content.yaml").read_text())
    return loaded


@cache
def _words(part: str) -> frozenset[str]:
    return frozenset(_raw()[part])


@cache
def _content_keys() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    """Keys that dialects read as content, and the patterns of keys and of log events."""
    rules = [rule for d in dialects() for rule in d.rules if rule.column in _CONTENT_COLUMNS]
    exact = {rule.source for rule in rules if rule.source and not rule.source.startswith("@")}
    gathered = [f"(?:{rule.keys}).*" for rule in rules if rule.keys]
    return frozenset(exact), re.compile("|".join([*_raw()["keys"], *gathered])), re.compile("|".join(_raw()["log_events"]))


@lru_cache(maxsize=65_536)
def is_content(key: str) -> bool:
    """Whether an attribute of this key carries what somebody said; what the Collector plugin moved away still does."""
    exact, pattern, _ = _content_keys()
    key = key.removeprefix(ORIGINAL)
    return key in exact or pattern.fullmatch(key) is not None


@cache
def _argument_keys() -> frozenset[str]:
    return frozenset(rule.source for d in dialects() for rule in d.rules if rule.column in ("arguments", "result"))


def _is_arguments(key: str) -> bool:
    key = key.removeprefix(ORIGINAL)
    return key in _argument_keys() and not is_mixed(key)


@cache
def content_columns(key: str) -> frozenset[str]:
    """What dialects read this attribute as: `request`, `arguments`, `result`, `tool_calls`."""
    return frozenset(rule.column for d in dialects() for rule in d.rules if rule.source == key and rule.column in _CONTENT_COLUMNS)


@cache
def is_mixed(key: str) -> bool:
    """Whether other facts than content are read from inside this attribute: token counts, models, ids."""
    return any(
        rule.source == key and rule.json and rule.column not in _CONTENT_COLUMNS for d in dialects() for rule in d.rules
    )


def is_content_body(event_name: str) -> bool:
    """Whether the body of a log record is content."""
    return not event_name or _content_keys()[2].fullmatch(event_name) is not None


def load_key(path: Path) -> bytes:
    """The key in this file; a new random one is written when there is no such file. Raises OSError."""
    try:
        return bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        key = os.urandom(32)
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        return key
