"""What becomes of a notification after an attempt. Pure: no clock, no randomness, no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 900.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
FEWEST_ATTEMPTS = 10
SHORTEST_PATIENCE = timedelta(hours=24)
ATTEMPTS_WHEN_REFUSED = 5
_MAY_PASS = (408, 425, 429)
_TELLS_WHEN = (429, 503)


@dataclass(frozen=True)
class Verdict:
    """The next state, `pending`, `delivered` or `dead`, and when the next attempt is due.

    `is_told` means that the receiver itself named the moment: it holds for everything sent to it.
    """

    state: str
    next_attempt_at: datetime
    is_told: bool = False


def decide(
    status: int, retry_after: str, attempts: int, age: timedelta, now: datetime, chance: float, before: int = 0
) -> Verdict:
    """The verdict after attempt number `attempts` (from 1) of a notification made `age` ago; status 0 is no answer.

    Trouble that may pass is tried again, at least 10 times and for at least 24 hours, then given up.
    An answer that blames the request (4xx, or a redirect) gets 5 attempts: enough for the seconds in which a
    receiver is being replaced, and no more; where trouble came first it must be blamed twice in a row (`before` is the
    status of the attempt before). 410 ends it at once. `chance` in [0, 1) is the jitter.
    """
    if 200 <= status < 300:
        return Verdict("delivered", now)
    if _may_pass(status):
        is_over = attempts >= FEWEST_ATTEMPTS and age >= SHORTEST_PATIENCE
    else:
        is_over = attempts >= ATTEMPTS_WHEN_REFUSED and not _may_pass(before)
    if status == 410 or is_over:
        return Verdict("dead", now)
    # Full jitter, so that what failed together does not come back together.
    pause = chance * min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempts - 1, 20))
    told = seconds_to_wait(retry_after, now) if status in _TELLS_WHEN else None
    return Verdict("pending", now + timedelta(seconds=max(pause, told or 0.0)), told is not None)


def _may_pass(status: int) -> bool:
    return status == 0 or status >= 500 or status in _MAY_PASS


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """The pause a `Retry-After` header asks for (RFC 9110, 10.2.3), at most an hour; None when it says nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
