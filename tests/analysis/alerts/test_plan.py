"""What is told of groups of findings, and when: the life of alerts as a table of moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.analysis.alerts.conftest import AT, transition

from actorscope.analysis.alerts.heard import Heard, labels
from actorscope.analysis.alerts.plan import Told, after, steps
from actorscope.analysis.findings import NO_DATA
from actorscope.settings import AlertSettings

PACE = AlertSettings()
LONG_AGO = AT - timedelta(days=9)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def heard(finding: str = "a", severity: str = "medium", state: str = "open", seconds: float = 0, **changes: Any) -> Heard:
    """A finding that was opened at the beginning of time and changed last after so many seconds."""
    body = transition("opened", severity, finding, at(seconds), state=state, **changes)["finding"]
    return Heard(body, at(0), labels(body))


def told(kind: str = "opened", seconds: float = 10, severity: str = "medium", **members: str) -> Told:
    return Told(kind, at(seconds), severity, members or {"a": "medium"})


def next_(before: Told | None, *findings: Heard, pace: AlertSettings = PACE, since: datetime = LONG_AGO) -> list[tuple[str, float]]:
    """What may be told next, with the seconds since the beginning of time."""
    firing = [f for f in findings if f.state == "open"]
    known = {f.id: f for f in findings}
    return [(step.kind, (step.at - AT).total_seconds()) for step in steps(before, known, firing, pace, since)]


def test_a_new_finding_waits_for_its_group_and_a_grave_one_for_nothing() -> None:
    assert next_(None, heard()) == [("opened", 2)]
    assert next_(None, heard(severity="high")) == [("opened", 0)]
    assert next_(None, heard("a"), heard("b", "critical")) == [("opened", 0)]


def test_findings_of_before_a_target_was_named_are_not_new_to_it() -> None:
    assert next_(None, heard(), since=at(1)) == []


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([heard(severity="high")], [("escalated", 0), ("grown", 310), ("still_open", 14410)]),
        ([heard(), heard("b", "low")], [("grown", 310), ("still_open", 14410)]),
        ([heard(), heard("b", "medium")], [("grown", 310), ("still_open", 14410)]),
        ([heard(severity="low")], [("still_open", 14410)]),
        ([heard(state="acknowledged", seconds=30)], [("acknowledged", 30)]),
        ([heard(state="muted", seconds=30)], []),
        ([heard(state="resolved", seconds=100)], [("resolved", 160)]),
        ([heard(state="resolved", seconds=100, resolution=f"{NO_DATA}: not seen again")], [("no_data", 160)]),
        ([heard(state="resolved"), heard("b")], [("grown", 310)]),
        ([], [("no_data", 3610)]),  # told, and lost before it was saved
    ],
)
def test_what_follows_on_an_opened_group(findings: Sequence[Heard], expected: list[tuple[str, float]]) -> None:
    assert next_(told(), *findings) == expected


def test_each_level_is_told_once_however_often_it_is_reached() -> None:
    """A budget: 50, 80, 100 % of it, corrected, and 100 % again."""
    state: Told | None = None
    kinds = []
    for seconds, severity in enumerate(["info", "medium", "medium", "high", "medium", "high", "medium", "high"]):
        finding = heard(severity=severity)
        pace = AlertSettings(group_wait_seconds=0)
        possible = [s for s in steps(state, {"a": finding}, [finding], pace, LONG_AGO) if s.at <= at(seconds)]
        if possible:
            kinds.append((possible[0].kind, severity))
            state = after(state, possible[0], at(seconds))
    assert kinds == [("opened", "info"), ("escalated", "medium"), ("escalated", "high")]


def test_three_hundred_findings_of_one_root_are_two_notifications() -> None:
    state: Told | None = None
    findings: list[Heard] = []
    kinds = []
    for seconds in range(400):
        if seconds < 300:
            findings.append(heard(f"f{seconds:03}", "high"))
        possible = [s for s in steps(state, {f.id: f for f in findings}, findings, PACE, LONG_AGO) if s.at <= at(seconds)]
        if possible:
            kinds.append((possible[0].kind, seconds))
            state = after(state, possible[0], at(seconds))
    assert kinds == [("opened", 0), ("grown", 300)]
    assert state and len(state.members) == 300


def test_a_flapping_finding_is_told_once_and_its_end_is_believed_later_and_later() -> None:
    assert next_(told(), heard(state="open", seconds=130, reopened=[at(130).isoformat()])) == [("still_open", 14410)]
    ends = []
    for flaps in (1, 2, 5, 9):
        again = [at(n).isoformat() for n in range(flaps)]
        ends += [when for _, when in next_(told(), heard(state="resolved", seconds=100, reopened=again))]
    assert ends == [220, 340, 100 + 32 * 60, 100 + 3600]
    days_ago = [(AT - timedelta(days=2)).isoformat()] * 5
    assert next_(told(), heard(state="resolved", seconds=100, reopened=days_ago)) == [("resolved", 160)]


def test_what_is_over_and_comes_back_is_reopened_with_nothing_left_of_before() -> None:
    over = after(told(), next(steps(told(), {"a": heard(state="resolved")}, [], PACE, LONG_AGO)), at(70))
    assert (over.kind, over.members, over.is_over) == ("resolved", {"a": "resolved"}, True)
    assert next_(over, heard(severity="low")) == [("reopened", 2)]
    assert next_(over, heard("b")) == [("opened", 2)]
    again = after(over, next(steps(over, {}, [heard(severity="low")], PACE, LONG_AGO)), at(80))
    assert (again.severity, again.members) == ("low", {"a": "low"})


def test_an_acknowledged_finding_is_not_repeated_until_it_is_graver() -> None:
    seen = told("acknowledged")
    assert next_(seen, heard(state="acknowledged", seconds=30)) == []
    assert next_(seen, heard(severity="high")) == [("escalated", 0), ("grown", 310), ("still_open", 14410)]
    assert next_(told(), heard(), heard("b", state="acknowledged")) == [("still_open", 14410)]


def test_nothing_is_repeated_where_nobody_wants_it() -> None:
    assert next_(told(), heard(), pace=AlertSettings(repeat_interval_seconds=0)) == []


def test_what_a_target_knows_survives_the_store() -> None:
    assert Told.from_json(told(a="high", b="resolved").to_json()) == told(a="high", b="resolved")
