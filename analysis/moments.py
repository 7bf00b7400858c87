"""Moments and lengths of time in words, as findings tell them."""

from __future__ import annotations

from datetime import datetime, timedelta

_SIZES = ((86400, "days"), (3600, "hours"), (60, "minutes"))


def stamp(moment: datetime) -> str:
    """A moment in UTC as RFC 3339, to the second."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def length(time: timedelta, decimals: int = 0) -> str:
    """In the largest unit of which there are two; `decimals` are those of seconds."""
    seconds = time.total_seconds()
    for size, unit in _SIZES:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.{decimals}f} seconds"
