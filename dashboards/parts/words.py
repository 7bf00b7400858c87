"""The explorer's own words: severities, states and bases, money, time and amounts. Nothing in here comes from spans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

SEVERITIES = {"critical": "⬢", "high": "▲", "medium": "◆", "low": "▽", "info": "○"}
STATES = {"open": "● open", "acknowledged": "◐ acknowledged", "muted": "◌ muted", "resolved": "✓ resolved"}
FAMILIES = ("delegation", "authority", "cost", "reexecution", "system")
Colour = Literal["red", "orange", "yellow", "blue", "gray"]
COLOURS: dict[str, Colour] = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue", "info": "gray"}
BASES = {
    "declared": "declared: the spans said so themselves, in our attributes or in standard ones.",
    "derived": "derived: a rule over official attributes leads to it; the spans did not say it in so many words.",
    "inferred": "inferred: names and structure suggest it. Confirm it with the agent's owner before you act on it.",
}
KNOWN = {
    "declared": "● declared",
    "derived": "◐ derived",
    "inferred": "◔ inferred",
    "missing": "○ missing",
    "": "– not asked for",
}
QUESTIONS = {
    "identity": "Identity", "permissions": "Permissions", "approval": "Approval", "why_again": "Why again",
    "who_changed": "Who changed", "audit": "Audit",
}  # fmt: skip
KINDS = {"run": "agent run", "model_call": "model call", "action": "action"}


def severity(word: str) -> str:
    """Shape and word, so that nobody needs the colour."""
    return f"{SEVERITIES.get(word, '·')} {word}"


def money(amount: float | None) -> str:
    """Dollars with the digits that matter; nothing when unknown, because unknown is not free."""
    if amount is None:
        return "–"
    if abs(amount) >= 1 or amount == 0:
        return f"${amount:,.2f}"
    return f"${amount:.4f}" if abs(amount) >= 0.001 else f"${amount:.6f}"


def amount(number: float | None) -> str:
    """A number as people read it: 1,234, 12.3k, 4.5M."""
    if number is None:
        return "–"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            return f"{number / (1e3 if unit == 'k' else size):,.1f}{unit}"
    return f"{number:,.0f}"


def duration(milliseconds: float | None) -> str:
    """A span of time in the unit that fits."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms"
    seconds = milliseconds / 1000
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = seconds / 60
    return (
        f"{minutes:.3g} min"
        if minutes < 120
        else f"{minutes / 60:.3g} h"
        if minutes < 2880
        else f"{minutes / 1440:.3g} d"
    )


def moment(text: str | None) -> datetime | None:
    """A time of an answer."""
    return datetime.fromisoformat(text) if text else None


def ago(text: str | None) -> str:
    """How long something is past, in two characters or three: 12 s, 3 min, 5 h, 9 d."""
    at = moment(text)
    if at is None:
        return "–"
    seconds = max(0.0, (datetime.now(UTC) - at).total_seconds())
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= (size if unit != "d" else 2 * size):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def clock(text: str | None) -> str:
    """A moment to the millisecond, in UTC."""
    at = moment(text)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC" if at else "–"
