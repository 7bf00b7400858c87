"""A run or an agent's day comes near or over its budget.

**What it finds.** Runs that state a budget (`actorscope.budget.limit` with scope `execution`) and have used 50, 80 or
100 % of it, with all they delegated; and actors over the same shares of a daily budget from the settings.

**Why it matters.** Nothing in most frameworks stops a run that costs too much; the budget is the number its owner chose.

**Evidence and basis.** The run and the costliest calls below it. Declared where the spans state their cost, derived where
the price list was used.

**What it cannot know.** Cost of models without a price and of calls that were not traced.

**False positives.** None in the arithmetic; a budget that is too small is found every day.

**Next step.** Look at the costliest calls; stop the run, or raise the budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal

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
    daily_usd: dict[str, float] = field(default_factory=dict)
    """Daily budget in US dollars by name or id of the actor; `*` for every other."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run, and per actor and day, that has used enough of its budget."""
    budgeted = frames["runs"].filter(
        pl.col("budget_limit") > 0, pl.col("budget_scope").is_null() | (pl.col("budget_scope") == "execution")
    )
    budgeted = budgeted.unique(["trace_id", "span_id"]).sort("start_time", "span_id")
    signals = [s for run in rows(budgeted) if (s := _run_signal(run, frames["runs"], frames["costs"], config))]
    if config.daily_usd:
        signals += [s for day in rows(_days(frames)) if (s := _day_signal(day, config))]
    return signals


def _days(frames: Frames) -> pl.DataFrame:
    """Each day with the latest of its runs that are looked at now, as the place where its budget was seen."""
    place = frames["runs"].select(
        "actor_id", pl.col("start_time").dt.date().alias("day"), "trace_id", "span_id", pl.col("start_time").alias("at")
    )
    place = place.sort("at", "trace_id", "span_id").unique(["actor_id", "day"], keep="last")
    days = frames["daily_spend"].unique(["actor_id", "day"])
    return days.join(place, on=["actor_id", "day"]).sort("day", "actor_id")


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


def _day_signal(day: dict[str, Any], config: Config) -> Signal | None:
    limit = config.daily_usd.get(
        day["actor_id"], config.daily_usd.get(day["actor_name"], config.daily_usd.get("*", 0.0))
    )
    severity = _severity(day["spent_usd"] / limit, config) if limit > 0 else None
    if severity is None:
        return None
    per_minute = day["recent_usd"] / 15.0
    left = limit - day["spent_usd"]
    forecast = f"used up in {left / per_minute:.0f} minutes at the present rate" if left > 0 and per_minute > 0 else ""
    return Signal(
        rule="C1",
        severity=severity,
        confidence=0.99,
        title=f"{day['actor_name']} used {day['spent_usd'] / limit:.0%} of its budget of the day: ${day['spent_usd']:.4g} of ${limit:.4g}",
        subject_id=day["actor_id"],
        subject_name=day["actor_name"],
        scope=("daily budget", str(day["day"])),
        trace_id=day["trace_id"],
        span_id=day["span_id"],
        at=day["at"],
        evidence=(
            Evidence(day["trace_id"], day["span_id"], "latest run", f"latest of {day['runs']} runs of {day['day']}"),
        ),
        baseline={
            "level": "actor and day",
            "limit": limit,
            "unit": "currency",
            "observed": day["spent_usd"],
            "forecast": forecast,
        },
        counterfactual=f"silent below ${limit * config.info_share:g}, or with a budget above ${day['spent_usd'] / config.info_share:g}",
        edits=(
            Edit(
                column="daily_usd",
                value={**config.daily_usd, day["actor_id"]: 1.01 * day["spent_usd"] / config.info_share},
            ),
        ),
        impact={"cost_usd": day["spent_usd"], "over_usd": max(0.0, -left)},
        basis="derived",
    )


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
        "costs": ("trace_id", "span_id", "run_span_id", "name", "cost_usd", "cost_source", "start_time"),
        "daily_spend": ("actor_id", "actor_name", "day", "spent_usd", "recent_usd", "runs"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    follows=("delegation_", "reexecution_"),
    next_step="Look at the costliest calls of the run; stop it or raise the budget.",
)  # fmt: skip
