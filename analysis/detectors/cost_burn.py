"""A budget of a day or a month is spent many times as fast as it would last.

**What it finds.** Budgets of the settings of which so much went in a long window and in a short one that it cannot last: of a
month 14.4 times as fast over 1 h and 5 min, 6 times over 6 h and 30 min, 3 times over 24 h and 2 h, or as fast over 3 days
and 6 h; of a day 14.4 times over 10 and 2 min, 6 times over 30 and 5 min, or twice over 2 h and 15 min.

**Why it matters.** A share of the budget tells too late when everything goes in an hour, and too often when the month is
nearly over. The long window says that it matters, the short one that it still goes on.

**Evidence and basis.** The latest span of the minute in which both windows were first over, and the costliest calls of the
long window that came with it. Declared where the spans state their cost, derived where the price list was used.

**What it cannot know.** What comes next: work that runs once a day burns fast and stops by itself.

**False positives.** A batch at midnight. At least one dollar and three runs in the short window are asked for.

**Next step.** Who spends in these minutes? See `actorscope ask spend --last 1h`; stop the run, or raise the budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal

_PAGES = 2
"""The first pairs are urgent: what they find empties a budget of a month in days."""


@dataclass(frozen=True)
class Config:
    """Thresholds of the burn rate."""

    factor: float = 1.0
    """Multiplies the rates of all pairs of windows."""
    min_usd: float = 1.0
    """Least that was spent in the short window."""
    min_runs: int = 3
    """Fewest runs that spent in the short window."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per budget and day on which it burns, of the most urgent pair, at the first minute looked at."""
    burns = frames["burns"].filter(pl.col("short_usd") >= config.min_usd, pl.col("runs") >= config.min_runs).unique()
    per_minute = pl.col("limit") / pl.col("period_minutes")
    burns = burns.with_columns(
        (pl.col("long_usd") / pl.col("long_minutes") / per_minute).alias("long_rate"),
        (pl.col("short_usd") / pl.col("short_minutes") / per_minute).alias("short_rate"),
        pl.col("at").dt.date().alias("day"),
    )
    least = config.factor * pl.col("factor")
    burns = burns.filter(pl.col("long_rate") >= least, pl.col("short_rate") >= least).sort("pair", "at", "trace_id", "span_id")
    first = burns.unique(["number", "node", "id", "day"], keep="first", maintain_order=True).sort("number", "id", "at")
    costs = frames["costs"].unique(["trace_id", "span_id"])
    return [_signal(burn, costs, config) for burn in rows(first)]


def _signal(burn: dict[str, Any], costs: pl.DataFrame, config: Config) -> Signal:
    who, long, short = burn["name"] or burn["id"] or "no tenant", burn["long_minutes"], burn["short_minutes"]
    began = burn["at"] - timedelta(minutes=long)
    mine = pl.col(spending.NODES[burn["node"]]).fill_null("") == burn["id"]
    spent = costs.filter(mine, pl.col("start_time").is_between(began, burn["at"]))
    rate, allowed = min(burn["long_rate"], burn["short_rate"]), config.factor * burn["factor"]
    lasts = burn["limit"] / (burn["long_usd"] / long)
    return Signal(
        rule="C2",
        severity="high" if burn["pair"] < _PAGES else "medium",
        confidence=0.9,
        title=f"{who} spends its budget of the {burn['period']} {rate:.1f} times as fast as it lasts: "
        f"${burn['long_usd']:.4g} of ${burn['limit']:.4g} in {_length(long)}",
        subject_id=burn["id"],
        subject_name=who,
        scope=("burn", burn["node"], burn["period"], str(burn["day"])),
        trace_id=burn["trace_id"],
        span_id=burn["span_id"],
        at=burn["at"],
        evidence=(
            Evidence(burn["trace_id"], burn["span_id"], "latest spend", f"${burn['short_usd']:.4g} in {_length(short)} up to here"),
            *(e for e in spending.evidence(spent) if e.span_id != burn["span_id"]),
        ),
        baseline={
            "level": burn["node"],
            "limit": burn["limit"],
            "period": burn["period"],
            "windows_minutes": [long, short],
            "observed": [round(burn["long_rate"], 2), round(burn["short_rate"], 2)],
            "threshold": allowed,
            "runs": burn["runs"],
            "forecast": f"the budget of a {burn['period']} lasts {_length(int(lasts))} at this rate",
        },
        counterfactual=f"silent below {allowed:g} times the rate of the budget in {_length(long)} or {_length(short)}, "
        f"or with a budget above ${burn['limit'] * rate / allowed:.4g}",
        edits=(Edit(column="factor", value=1.01 * config.factor * _most(burn)),),
        impact={"cost_usd": burn["long_usd"]},
        basis=spending.basis(spent),
        grows=True,
    )


def _most(burn: dict[str, Any]) -> float:
    """Multiplied by this no pair of windows would have told: the milder ones ask for less."""
    return max(float(burn["long_rate"]), float(burn["short_rate"]))


def _length(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.3g} h" if minutes < 4320 else f"{minutes / 1440:.3g} days"


DETECTOR = Detector(
    id="cost_burn",
    family="cost",
    title="Budget burns",
    version=1,
    needs={
        "burns": (
            "number", "node", "id", "name", "period", "limit", "pair", "factor", "period_minutes", "long_minutes", "short_minutes",
            "long_usd", "short_usd", "runs", "trace_id", "span_id", "at",
        ),
        "costs": ("trace_id", "span_id", "name", "cost_usd", "cost_source", "start_time", "actor_id", "task_kind", "starter_id", "tenant"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    follows=("delegation_", "reexecution_", "cost_loop"),
    next_step="Who spends in these minutes? Stop the run, or raise the budget.",
)  # fmt: skip
