"""Budgets: what may be spent, what was, and the moments at which a threshold is crossed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from threading import Lock
from typing import Any, Self

from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span

from actorscope.semconv.emit import carried
from actorscope.semconv.emit.event import emit, quietly
from actorscope.semconv.emit.step import Step
from actorscope.semconv.emit.values import given, new_id
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated import events
from actorscope.semconv.generated.enums import BudgetOutcome, BudgetScope, BudgetUnit

Amount = int | float | Decimal


class Budget(Step):
    """Counts what is spent against a limit; several threads and tasks may spend from one budget.

    An event tells of each threshold that is crossed. The budget is stated on the spans that start directly inside the
    block, and on the span in which something is spent. It stops nobody: ask `is_exceeded` or `left`.
    """

    def __init__(
        self,
        limit: Amount,
        unit: BudgetUnit | str = BudgetUnit.CURRENCY,
        *,
        scope: BudgetScope | str | None = BudgetScope.EXECUTION,
        currency: str = "USD",
        thresholds: Iterable[float] = (0.5, 0.8, 1.0),
        warn_from: float = 0.8,
        id: str | None = None,
    ) -> None:
        super().__init__()
        self.limit, self.consumed = _exact(limit), Decimal(0)
        self.id, self._given_id = id or new_id("bdg"), id
        self._unit, self._scope = unit, scope
        self._currency = currency if unit == BudgetUnit.CURRENCY else None
        self._thresholds, self._warn_from = sorted(map(_exact, thresholds)), _exact(warn_from)
        self._lock, self._told = Lock(), (0, 0)
        self._owner: Span = INVALID_SPAN
        self._is_blocked = False

    def _again(self) -> Self:
        fresh = super()._again()
        fresh.id = self._given_id or new_id("bdg")
        fresh.consumed, fresh._told, fresh._lock, fresh._is_blocked = Decimal(0), (0, 0), Lock(), False
        return fresh

    def _begin(self) -> None:
        context = get_current()
        self._owner = get_current_span(context)
        stated = given(self._stated())
        self._owner.set_attributes(stated)
        self._attach(carried.stating(stated, context))

    def _end(self, error: BaseException | None) -> None:
        self._owner = INVALID_SPAN

    def spend(self, amount: Amount) -> BudgetOutcome:
        """Count an amount in the unit of the budget, and say how the budget stands."""
        exact = quietly(_exact, amount) or Decimal(0)
        with self._lock:
            self.consumed += exact if exact.is_finite() else 0
            outcome, level = self.outcome, sum(self.consumed >= share * self.limit for share in self._thresholds)
            now = (level, list(BudgetOutcome).index(outcome))
            is_news, self._told = now > self._told, max(now, self._told)
        quietly(self._tell, outcome, is_news)
        return outcome

    def block(self) -> None:
        """The work is stopped because of the budget."""
        self._is_blocked = True
        quietly(self._tell, BudgetOutcome.BLOCKED, True)

    @property
    def outcome(self) -> BudgetOutcome:
        """How the budget stands."""
        if self._is_blocked:
            return BudgetOutcome.BLOCKED
        if self.consumed > self.limit:
            return BudgetOutcome.EXCEEDED
        return BudgetOutcome.WARNED if self.consumed >= self._warn_from * self.limit else BudgetOutcome.OK

    @property
    def is_exceeded(self) -> bool:
        """Whether more was spent than allowed."""
        return self.consumed > self.limit

    @property
    def left(self) -> float:
        """What may still be spent; negative when exceeded."""
        return float(self.limit - self.consumed)

    def _stated(self) -> dict[str, object]:
        return {
            a.ACTORSCOPE_BUDGET_ID: self.id,
            a.ACTORSCOPE_BUDGET_SCOPE: self._scope,
            a.ACTORSCOPE_BUDGET_LIMIT: float(self.limit),
            a.ACTORSCOPE_BUDGET_UNIT: self._unit,
        }

    def _tell(self, outcome: BudgetOutcome, is_news: bool) -> None:
        said: dict[str, Any] = {
            **self._stated(),
            a.ACTORSCOPE_BUDGET_CONSUMED: float(self.consumed),
            a.ACTORSCOPE_BUDGET_OUTCOME: outcome,
        }
        span = self._owner if self._owner.is_recording() else get_current_span()
        span.set_attributes(given(said))
        if is_news:
            emit(events.ACTORSCOPE_BUDGET_CHECK, {**said, a.ACTORSCOPE_COST_CURRENCY: self._currency})


budget = Budget


def _exact(amount: Amount) -> Decimal:
    """The decimal that a person reads, so that ten times 0.1 is 1."""
    return Decimal(str(amount))
