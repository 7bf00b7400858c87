"""Budgets of the settings: the sums are those of the costs, however spans come and whenever the program starts again."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import empty
from tests.make import Made, spans

from actorscope.analysis.budgets import PAIRS
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import BudgetSettings

BUDGETS = [
    BudgetSettings(node=node, period=period, usd=10.0)
    for node in ("actor", "task", "delegator", "tenant") for period in ("hour", "day", "month")
]  # fmt: skip
WORK = """
- trace: a
  repeat: 4
  every: 25m
  spans:
    - agent: boss
      task: report
      user: ann
      children:
        - {chat: x, cost: 1.0, tokens: [9, 1], response: "r{n}", for: 5}
        - {chat: x, cost: 1.0, tokens: [9, 1], response: "r{n}", as: twin, at: 1, for: 3}
        - {agent: aide, children: [{chat: x, cost: 0.5, at: 100}, {tool: rent, cost: 0.25}]}
- {trace: b, at: 30m, spans: [{agent: boss, task: title, user: bob, children: [{chat: x, cost: 2.0}]}]}
"""
SUMS = "SELECT node, id, sum(usd) AS usd FROM spend_minutes FINAL GROUP BY node, id HAVING usd > 0 ORDER BY node, id"
TRUTH = """SELECT n.1 AS node, n.2 AS id, sum(cost_usd) AS usd FROM costs
ARRAY JOIN [('actor', toString(actor_id)), ('task', toString(task_kind)), ('delegator', starter_id), ('tenant', toString(tenant))] AS n
GROUP BY node, id HAVING usd > 0 AND (id != '' OR node = 'tenant') ORDER BY node, id"""
Told = list[tuple[Any, ...]]


def played(store: Store, made: Made, batches: list[list[dict[str, Any]]], restart: bool = False) -> tuple[Told, Told, Told]:
    """The sums, what they should be, and the findings (fingerprint, severity, observed), after these batches."""

    def act() -> tuple[Told, Told, Told]:
        empty(store)
        analyst = Analyst(store, budgets=BUDGETS)
        for batch in batches:
            if restart:
                seq, analyst = analyst.seq, Analyst(store, budgets=BUDGETS)
                analyst.seq = seq
            analyst.look(made, batch)
        found = [(f.fingerprint, f.severity, round(f.baseline["observed"], 6)) for f in analyst.open("cost_budget")]
        return store.frame(SUMS).rows(), store.frame(TRUTH).rows(), sorted(found)

    return in_worker(act)


@pytest.mark.parametrize("restart", [False, True])
def test_sums_and_findings_do_not_depend_on_order_repetition_or_restarts(store: Store, restart: bool) -> None:
    made = spans(WORK)
    sums, truth, found = played(store, made, [made.rows])
    assert sums == truth and dict((row[:2], row[2]) for row in sums)["delegator", "ann"] == pytest.approx(7.0)
    assert {severity for _, severity, _ in found} >= {"info", "medium"}
    mixed = made.shuffled(3)
    dice = random.Random(5)
    batches = [mixed[:7], mixed[5:14], mixed[14:], dice.sample(mixed, 6)]
    assert played(store, made, batches, restart) == (sums, truth, found)


def test_a_budget_that_is_new_knows_what_was_spent_before(store: Store) -> None:
    def act() -> pl.DataFrame:
        made = spans(WORK)
        early, late = [r for r in made.rows if r["trace_id"].hex() != made.places["b/boss"][0]], made.rows
        first, second = Analyst(store), Analyst(store, budgets=BUDGETS)
        first.look(made, early)
        second.seq = first.seq
        second.look(made, late)
        return store.frame(SUMS)

    assert in_worker(act).filter(node="actor", id="desk/aide")["usd"].item() == pytest.approx(3.0)


def test_the_forecast_says_when_it_is_used_up(store: Store) -> None:
    def act() -> tuple[str, str]:
        made = spans("- {trace: t, repeat: 3, every: 10m, spans: [{agent: bot, children: [{chat: x, cost: 0.2}]}]}")
        analyst = Analyst(store, budgets=[BudgetSettings(node="actor", period="day", usd=1.0)])
        analyst.look(made)
        [finding] = analyst.open("cost_budget")
        return finding.title, finding.baseline["forecast"]

    title, forecast = in_worker(act)
    # $0.40 in the last 15 minutes, $0.40 left.
    assert "in 15 minutes" in forecast and "09:36" in forecast and forecast in title


@pytest.mark.parametrize("period", PAIRS)
def test_pairs_of_windows_go_from_fast_to_slow(period: str) -> None:
    assert [factor for factor, *_ in PAIRS[period]] == sorted((factor for factor, *_ in PAIRS[period]), reverse=True)
    assert all(short < long for _, long, short in PAIRS[period])
