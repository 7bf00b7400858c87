"""What becomes of a notification, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from actorscope.analysis.alerts.verdict import decide, seconds_to_wait

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
YOUNG, OLD = timedelta(minutes=1), timedelta(hours=24)
JITTER = 0.5


@pytest.mark.parametrize(
    ("status", "retry_after", "attempts", "age", "state", "pause"),
    [
        (200, "", 1, YOUNG, "delivered", 0),
        (204, "60", 7, OLD, "delivered", 0),
        (0, "", 1, YOUNG, "pending", 1),
        (0, "", 2, YOUNG, "pending", 2),
        (500, "", 5, YOUNG, "pending", 16),
        (502, "", 9, YOUNG, "pending", 256),
        (504, "", 10, YOUNG, "pending", 450),
        (504, "", 5000, YOUNG, "pending", 450),
        (500, "600", 1, YOUNG, "pending", 1),
        (0, "", 9, OLD, "pending", 256),
        (0, "", 10, OLD, "dead", 0),
        (503, "30", 10, OLD, "dead", 0),
        (408, "", 6, YOUNG, "pending", 32),
        (425, "", 6, YOUNG, "pending", 32),
        (429, "", 6, YOUNG, "pending", 32),
        (429, "30", 1, YOUNG, "pending", 30),
        (429, "30", 9, YOUNG, "pending", 256),
        (503, "86400", 1, YOUNG, "pending", 3600),
        (503, "soon", 1, YOUNG, "pending", 1),
        (503, format_datetime(NOW + timedelta(seconds=90), usegmt=True), 1, YOUNG, "pending", 90),
        (410, "", 1, YOUNG, "dead", 0),
        (400, "", 1, YOUNG, "pending", 1),
        (404, "", 4, YOUNG, "pending", 8),
        (404, "", 5, YOUNG, "dead", 0),
        (302, "", 5, YOUNG, "dead", 0),
    ],
)
def test_what_comes_next(
    status: int, retry_after: str, attempts: int, age: timedelta, state: str, pause: float
) -> None:
    verdict = decide(status, retry_after, attempts, age, NOW, JITTER, before=status)
    assert (verdict.state, (verdict.next_attempt_at - NOW).total_seconds()) == (state, pause)
    assert verdict.is_told == (state == "pending" and status in (429, 503) and retry_after not in ("", "soon"))


def test_after_an_outage_one_refusal_is_not_the_end() -> None:
    """A receiver that comes back answers 404 for a moment, and by then there were many attempts."""
    assert decide(404, "", 40, YOUNG, NOW, JITTER, before=502).state == "pending"
    assert decide(404, "", 41, YOUNG, NOW, JITTER, before=404).state == "dead"
    assert decide(410, "", 1, YOUNG, NOW, JITTER, before=502).state == "dead"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("9" * 5000, 3600.0),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("Wed, 01 Jul 2026 12:00:10 -0000", 10.0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 3600.0),
    ],
)
def test_retry_after_in_all_its_forms(text: str, seconds: float | None) -> None:
    assert seconds_to_wait(text, NOW) == seconds
