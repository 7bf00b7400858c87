"""Values as attributes want them: lists of scopes, instants, ids, nothing that is empty."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum

from opentelemetry.util.types import AttributeValue

Attributes = dict[str, AttributeValue]
Instant = datetime | timedelta | float | str
"""A moment: a datetime, seconds since 1970, RFC 3339 text, or a duration from now."""
Scope = str | Iterable[str]
"""Permissions: a list, or text with spaces between them as OAuth writes it."""


def given(pairs: Mapping[str, object]) -> Attributes:
    """Those pairs that have a value, as attributes; enums become their text, tuples and lists lists of text."""
    found: Attributes = {}
    for key, value in pairs.items():
        if isinstance(value, Enum):
            value = value.value
        if value is None or value == "" or value == ():
            continue
        if isinstance(value, bool | int | float | str):
            found[key] = value
        elif isinstance(value, list | tuple | set | frozenset):
            found[key] = tuple(str(item) for item in value)
        else:
            found[key] = str(value)
    return found


def scopes(value: Scope | None) -> tuple[str, ...]:
    """Each permission once, in the order given."""
    if value is None:
        return ()
    items = value.split() if isinstance(value, str) else (str(item) for item in value)
    return tuple(dict.fromkeys(item for item in items if item))


def instant(value: Instant | None) -> str | None:
    """RFC 3339 in UTC. Text is taken as it is; a datetime without zone is local time."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, timedelta):
        value = datetime.now(UTC) + value
    elif isinstance(value, int | float):
        value = datetime.fromtimestamp(value, UTC)
    text = value.astimezone(UTC).isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def new_id(prefix: str) -> str:
    """An identifier that nobody can guess, such as `dlg_6f0c...`."""
    return f"{prefix}_{secrets.token_hex(10)}"
