"""A run, an agent, a kind of task, whoever started the work, or a tenant comes near or over its budget.

**What it finds.** Runs that state a budget (`actorscope.budget.limit` with scope `execution`) and have used 50, 80 or
100 % of it, with all they delegated; and the same shares of the budgets of the settings (`[[analysis.budgets]]`): of each
run, or of an hour, day, week or month (UTC) of an actor, a kind of task, a person, schedule or agent that started the work,
or a tenant. A window is one finding, which grows from info over medium to high.

**Why it matters.** Nothing in most frameworks stops a run that costs too much; the budget is the number its owner chose.

**Evidence and basis.** The run and the costliest calls below it; of a period the latest span that spent, with the costliest
that came with it, and when the budget is used up at the rate of the last 15 minutes in which anything was spent. Declared
where the spans state their cost, derived where the price list was used.

**What it cannot know.** Cost of models without a price and of calls that were not traced.

**False positives.** None in the arithmetic; a budget that is too small is found every day.

**Next step.** Look at the costliest calls; stop the run, or raise the budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal

_KIND = {"run": "A run of", "actor": "Actor", "task": "Task", "delegator": "What was started by", "tenant": "Tenant"}
_MINUTE, _RECENT = timedelta(minutes=1), timedelta(minutes=15)
_UNITS = {"currency": "run_cost_usd", "token": "run_tokens", "call": "run_calls", None: "run_cost_usd"}


@dataclass(frozen=True)
class Config:
    """Thresholds of the budget."""

    info_share: float = 0.5
    """Share of the budget from which it is reported as info."""
    medium_share: float = 0.8
    """Share from which it is medium."""
    high_share: float = 1.0
    """Share from which it is high."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run, and per window of a budget of the settings, that has used enough of it."""
    budgeted = frames["runs"].filter(
        pl.col("budget_limit") > 0, pl.col("budget_scope").is_null() | (pl.col("budget_scope") == "execution")
    )
    budgeted = budgeted.unique(["trace_id", "span_id"]).sort("start_time", "span_id")
    signals = [s for run in rows(budgeted) if (s := _run_signal(run, frames["runs"], frames["costs"], config))]
    windows = frames["budgets"].unique().sort("number", "id", "began", "trace_id", "span_id")
    costs = frames["costs"].unique(["trace_id", "span_id"])
    return signals + [s for window in rows(windows) if (s := _window_signal(window, frames["runs"], costs, config))]


def _severity(share: float, config: Config) -> str | None:
    levels = (("high", config.high_share), ("medium", config.medium_share), ("info", config.info_share))
    return next((name for name, limit in levels if share >= limit), None)


def _run_signal(run: dict[str, Any], runs: pl.DataFrame, costs: pl.DataFrame, config: Config) -> Signal | None:
    used, limit = run[_UNITS.get(run["budget_unit"], "run_cost_usd")], run["budget_limit"]
    severity = _severity((used or 0) / limit, config)
    if severity is None:
        return None
    spent = spending.below(run, runs, costs)
    is_money = run["budget_unit"] in (None, "currency")
    amount = f"${used:.4g} of ${limit:.4g}" if is_money else f"{used:,} {run['budget_unit']}s of {limit:,.0f}"
    return Signal(
        rule="C1",
        severity=severity,
        confidence=0.99,
        title=f"{run['actor_name'] or 'A run'} used {used / limit:.0%} of the budget of its run: {amount}",
        subject_id=run["actor_id"] or "unknown",
        subject_name=run["actor_name"] or "",
        scope=("run budget",),
        trace_id=run["trace_id"],
        span_id=run["span_id"],
        at=run["start_time"],
        evidence=(
            Evidence(run["trace_id"], run["span_id"], "budget", f"budget of the run is {limit:g}"),
            *spending.evidence(spent),
        ),
        baseline={
            "level": "run",
            "limit": limit,
            "unit": run["budget_unit"] or "currency",
            "observed": used,
            "share": used / limit,
        },
        counterfactual=f"silent below {config.info_share:.0%} of the budget, {limit * config.info_share:g}, "
        f"or with a budget above {used / config.info_share:g}",
        edits=(Edit(run["trace_id"], run["span_id"], "budget_limit", 1.01 * used / config.info_share),),
        impact={
            "cost_usd": run["run_cost_usd"],
            "over_usd": max(0.0, used - limit) if is_money else None,
            "saved_by_stopping_at_limit_usd": _beyond(spent, limit) if is_money else 0.0,
        },
        basis=spending.basis(spent),
    )


def _beyond(spent: pl.DataFrame, limit: float) -> float:
    """What was spent from the call on with which the limit was passed."""
    ordered = spent.sort("start_time", "span_id")
    return float(ordered.filter(pl.col("cost_usd").cum_sum() > limit)["cost_usd"].sum())


def _window_signal(window: dict[str, Any], runs: pl.DataFrame, costs: pl.DataFrame, config: Config) -> Signal | None:
    limit, used, period = window["limit"], window["spent_usd"], window["period"]
    severity = _severity(used / limit, config)
    if severity is None:
        return None
    who = window["name"] or window["id"] or "no tenant"
    spent = _spent(window, runs, costs)
    forecast = _forecast(window)
    began = f"{window['began']:%Y-%m-%d %H:%M}"
    what = f"its budget of the {period} from {began}" if period else "the budget of a run"
    return Signal(
        rule="C1",
        severity=severity,
        confidence=0.99,
        title=f"{_KIND[window['node']]} {who} used {used / limit:.0%} of {what}: ${used:.4g} of ${limit:.4g}"
        + (f"; {forecast}" if forecast else ""),
        subject_id=window["id"],
        subject_name=who,
        scope=("budget", window["node"], period, began if period else ""),
        trace_id=window["trace_id"],
        span_id=window["span_id"],
        at=window["at"],
        evidence=(
            Evidence(window["trace_id"], window["span_id"], "budget" if not period else "latest spend", f"${used:.4g} of ${limit:.4g}"),
            *(e for e in spending.evidence(spent) if e.span_id != window["span_id"]),
        ),
        baseline={
            "level": window["node"],
            "period": period or "run",
            "window": began,
            "limit": limit,
            "unit": "currency",
            "observed": used,
            "share": used / limit,
            "last_15_minutes_usd": window["recent_usd"] if period else None,
            "forecast": forecast,
        },
        counterfactual=f"silent below ${limit * config.info_share:g}, or with a budget above ${used / config.info_share:g}",
        edits=(Edit(column=f"budgets.{window['number']}.usd", value=1.01 * used / config.info_share),),
        impact={"cost_usd": used, "over_usd": max(0.0, used - limit)},
        basis=spending.basis(spent),
        grows=bool(period),
    )


def _spent(window: dict[str, Any], runs: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """What was spent in a window by the traces that are looked at now."""
    if not window["period"]:
        return spending.below(window, runs, costs)
    mine = pl.col(spending.NODES[window["node"]]).fill_null("") == window["id"]
    return costs.filter(mine, pl.col("start_time") >= window["began"], pl.col("start_time") < window["ends"])


def _forecast(window: dict[str, Any]) -> str:
    """When the budget is used up, from the rate of the latest quarter of an hour in which anything was spent."""
    left = window["limit"] - window["spent_usd"]
    if not window["period"] or left <= 0 or window["recent_usd"] <= 0:
        return ""
    began, last = window["began"], window["last_at"] + _MINUTE
    minutes = left / window["recent_usd"] * max(1.0, min(_RECENT, last - began) / _MINUTE)
    if minutes > (window["ends"] - last) / _MINUTE:
        return f"lasts to the end of the {window['period']} at the rate of the last 15 minutes"
    return f"used up at {last + minutes * _MINUTE:%Y-%m-%d %H:%M} UTC, in {minutes:.0f} minutes, at the rate of the last 15 minutes"


DETECTOR = Detector(
    id="cost_budget",
    family="cost",
    title="Budget",
    version=1,
    needs={
        "runs": (
            "trace_id", "span_id", "parent_run_span_id", "actor_id", "actor_name", "budget_limit", "budget_unit", "budget_scope",
            "run_cost_usd", "run_tokens", "run_calls", "start_time",
        ),
        "costs": (
            "trace_id", "span_id", "run_span_id", "name", "cost_usd", "cost_source", "start_time", "actor_id", "task_kind", "starter_id",
            "tenant",
        ),
        "budgets": (
            "number", "node", "id", "name", "period", "limit", "began", "ends", "spent_usd", "recent_usd", "last_at", "trace_id", "span_id",
            "at",
        ),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    follows=("delegation_", "reexecution_"),
    next_step="Look at the costliest calls of the run; stop it or raise the budget.",
)  # fmt: skip
