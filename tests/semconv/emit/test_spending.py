"""What is said about budgets."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.semconv.emit.conftest import Told

from actorscope import semconv
from actorscope.semconv.generated.enums import BudgetOutcome

CHECK = "actorscope.budget.check"


def checks(told: Told) -> list[tuple[float, str]]:
    return [(said["actorscope.budget.consumed"], said["actorscope.budget.outcome"]) for said in told.events(CHECK)]


def test_each_threshold_is_told_once(told: Told) -> None:
    budget = semconv.budget(1.0, "currency", scope="agent", id="bdg_1", currency="EUR")
    outcomes = [budget.spend(0.1) for _ in range(11)]
    assert checks(told) == [(0.5, "ok"), (0.8, "warned"), (1.0, "warned"), (1.1, "exceeded")]
    assert outcomes == [BudgetOutcome.OK] * 7 + [BudgetOutcome.WARNED] * 3 + [BudgetOutcome.EXCEEDED]
    assert budget.is_exceeded and budget.left == pytest.approx(-0.1)
    budget.block()
    assert told.events(CHECK)[-1] == {
        "actorscope.budget.id": "bdg_1",
        "actorscope.budget.scope": "agent",
        "actorscope.budget.limit": 1.0,
        "actorscope.budget.unit": "currency",
        "actorscope.budget.consumed": 1.1,
        "actorscope.budget.outcome": "blocked",
        "actorscope.cost.currency": "EUR",
    }


def test_one_large_amount_is_one_event(told: Told) -> None:
    semconv.budget(10, "token").spend(50)
    assert checks(told) == [(50.0, "exceeded")]
    assert "actorscope.cost.currency" not in told.event(CHECK)


def test_the_run_inside_states_the_budget_and_the_span_around_shows_what_was_spent(told: Told) -> None:
    with semconv.budget(100, "call", id="bdg_2"), semconv.agent("outer"), semconv.agent("inner"):
        pass
    with semconv.agent("solo"), semconv.budget(2.0) as budget, told.tracer.start_as_current_span("chat"):
        budget.spend(1.5)
    assert told.span("invoke_agent outer")["actorscope.budget.limit"] == 100.0
    assert "actorscope.budget.limit" not in told.span("invoke_agent inner")
    solo = told.span("invoke_agent solo")
    assert (solo["actorscope.budget.limit"], solo["actorscope.budget.consumed"]) == (2.0, 1.5)
    assert "actorscope.budget.consumed" not in told.span("chat")


def test_threads_spend_from_one_budget(told: Told) -> None:
    budget = semconv.budget(1000, "call")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(budget.spend, [1] * 1000))
    assert budget.consumed == 1000
    assert [outcome for _, outcome in checks(told)].count("ok") == 1 and len(checks(told)) == 3


def test_each_call_of_a_decorated_function_has_its_budget(told: Told) -> None:
    @semconv.budget(1, "call")
    def work() -> None: ...

    with told.tracer.start_as_current_span("one"):
        work()
    with told.tracer.start_as_current_span("two"):
        work()
    assert told.span("one")["actorscope.budget.id"] != told.span("two")["actorscope.budget.id"]


@pytest.mark.parametrize("amount", [math.nan, math.inf, None, "much"])
def test_amounts_that_are_none_count_nothing(told: Told, amount: Any) -> None:
    budget = semconv.budget(1)
    budget.spend(amount)
    assert budget.consumed == 0 and checks(told) == []
