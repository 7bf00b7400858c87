"""Scopes that are held and not used are told, scope by scope, and only those."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import empty
from tests.make import BASE, Made, spans

from actorscope.analysis.finding import Finding
from actorscope.ingest.store.client import Store, in_worker

DAY = timedelta(days=1)


def _audit(analyst: Analyst, after: timedelta = timedelta()) -> list[Finding]:
    analyst.runner.audit_once(BASE + timedelta(hours=8) + after)
    return analyst.open("authority_unused_grant")


def _found(store: Store, text: str | Made, batches: int = 1, seed: int = 0, **thresholds: int) -> list[Finding]:
    made = spans(text) if isinstance(text, str) else text

    def act() -> list[Finding]:
        empty(store)
        analyst, dice = Analyst(store, detectors={"authority_unused_grant": thresholds}), random.Random(seed)
        hands: list[list[dict[str, Any]]] = [[] for _ in range(batches)]
        for row in made.rows:
            hands[dice.randrange(batches)].append(row)
        for hand in hands:
            analyst.look(made, hand)
        return _audit(analyst)

    return in_worker(act)


HELD = """
- trace: old
  at: -120d
  spans:
    - agent: clerk
      grant: ["tool:read_*", "tool:pay", "mail:send"]
      children: [{tool: read_bill, effect: read}, {tool: pay, effect: write}]
- trace: new
  spans:
    - agent: clerk
      grant: ["tool:read_*", "tool:pay", "mail:send", "tool:fresh"]
      children: [{tool: read_bill, effect: read, used: ["tool:read_bill"]}]
"""


@pytest.mark.parametrize("seed", range(3))
def test_what_is_unused_is_told_with_its_last_use_in_any_order(store: Store, seed: int) -> None:
    (finding,) = _found(store, HELD, batches=1 + seed, seed=seed)
    assert (finding.rule, finding.severity, finding.subject["name"]) == ("P9", "info", "clerk")
    assert finding.title == "clerk has not used 2 of 4 granted scopes for 90 days"
    never, once = finding.baseline["observed"]
    assert (never["scope"], never["last_used"], once["scope"]) == ("mail:send", "never", "tool:pay")
    assert once["last_used"].startswith(f"{BASE - 120 * DAY:%Y-%m-%d}")
    assert finding.baseline["expected"] == ["tool:fresh", "tool:read_*"]
    assert "named only tool:fresh, tool:read_*" in finding.counterfactual
    assert all(e["role"].startswith("context") for e in finding.evidence)


def _years(grant: str, children: str, *, at: str = "-120d", now: str = "0") -> str:
    run = f"spans: [{{agent: clerk, grant: [{grant}], children: [{children}]}}]"
    return f"- {{trace: old, at: {at}, {run}}}\n- {{trace: new, at: {now}, {run}}}"


BARE = "{tool: look, effect: read}"


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        (_years('a:read, b:read', '{tool: x, used: [a:read]}'), ["b:read"]),
        (_years('a:read, b:read', BARE), []),  # nobody says what was used
        (_years('a:read, b:read', '{tool: x, used: [a:read]}', at="-80d"), []),  # not held for long enough
        (_years('a:read, b:read', '{tool: x, used: [a:read]}', at="-300d", now="-100d"), []),  # not held any more
        (_years('"f:w:/srv/*", "f:w:/tmp/*"', '{tool: x, used: ["f:w"], effect: write, args: {path: /srv/a}}'), ["f:w:/tmp/*"]),
        (_years('"f:write:/srv/*", "f:write:/tmp/*"', '{tool: x, used: ["f:write"], effect: write}'), []),  # of unknown what
        (_years('a:read, b:read', '{tool: x, used: [a:read]}, {tool: y, used: [b:read], authz_outcome: deny}'), ["b:read"]),
        (_years('a:read, b:read', '{tool: x, used: [a:read]}, {agent: helper, children: [{tool: y, used: [b:read]}]}'), []),
    ],
)  # fmt: skip
def test_an_entry_is_unused_only_where_that_is_known(store: Store, text: str, unused: list[str]) -> None:
    found = _found(store, text)
    assert [entry["scope"] for finding in found for entry in finding.baseline["observed"]] == unused


@pytest.mark.parametrize(("days", "count"), [(0, 1), (119, 1), (130, 0), (9999, 0)])
def test_the_window_is_a_setting_between_a_day_and_a_year(store: Store, days: int, count: int) -> None:
    assert len(_found(store, _years('a:read, b:read', '{tool: x, used: [a:read]}'), days=days)) == count


def test_a_note_ends_with_the_next_use_and_without_a_grant(store: Store) -> None:
    def act() -> None:
        analyst = Analyst(store)
        analyst.look(spans(HELD))
        assert len(_audit(analyst)) == 1
        assert len(_audit(analyst, 30 * DAY)) == 1, "the same note"
        analyst.look(spans('- {trace: pay, at: 1h, spans: [{agent: clerk, grant: ["tool:pay"], children: [{tool: pay, effect: write}]}]}'))
        (left,) = _audit(analyst)
        assert [entry["scope"] for entry in left.baseline["observed"]] == ["mail:send"]
        assert _audit(analyst, 200 * DAY) == [], "nothing is granted any more"

    in_worker(act)


def test_a_grant_that_has_not_ended_is_held_without_any_run(store: Store) -> None:
    def act() -> None:
        analyst = Analyst(store)
        analyst.look(spans('- {trace: t, at: -100d, spans: [{agent: clerk, grant: ["tool:pay"], grant_ends: 50d, children: [{chat: x}]}]}'))
        assert [f.baseline["observed"][0]["last_used"] for f in _audit(analyst)] == ["never"]
        assert _audit(analyst, 60 * DAY) == []

    in_worker(act)
