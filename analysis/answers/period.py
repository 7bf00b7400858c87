"""Lengths of time as people write them: 90s, 30m, 24h, 7d, or all."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_LENGTH = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
EXAMPLES = "such as 30m, 24h, 7d, or all"


def until(text: str, now: datetime) -> datetime:
    """The moment that lies so far ahead, or the moment itself; raises ValueError where the text is neither."""
    if found := _LENGTH.fullmatch(text):
        return now + timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"is neither a length of time nor a moment: {text[:40]!r} (such as 3d or 2030-01-31)") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def since(text: str) -> datetime | None:
    """The moment that lies so far back; None for `all`. Raises ValueError where the text is no length."""
    if text == "all":
        return None
    found = _LENGTH.fullmatch(text)
    if not found:
        raise ValueError(f"is no length of time: {text[:40]!r} ({EXAMPLES})")
    try:
        return datetime.now(UTC) - timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        return None
