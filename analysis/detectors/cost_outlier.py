"""A run cost far more than runs of the same agent for the same kind of task.

**What it finds.** Runs whose cost (tokens where nothing is priced), with all they delegated, lies far above the earlier
runs of the actor and task kind, on a logarithmic scale; also per model call (tokens, where known), where few turns hide that
each of them became dear.

**Why it matters.** Runaway loops, swollen contexts and wrong models show first in what a run costs. Cost is log-normal:
on a plain scale one run in ten would look strange.

**Evidence and basis.** The run and its costliest calls; median and spread of up to 400 earlier runs. The spread is the
median deviation, drawn towards 0.8 while there are few runs.

**What it cannot know.** Whether the task was simply larger.

**False positives.** A rare, legitimately large task: 1.6 % of runs reach 2.5 deviations, one in two hundred 3.

**Next step.** Compare the run with a median run: more turns, a longer context, or another model?
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import ALERTS, Edit, Evidence, Signal

_ABOUT = 0.8
"""Calls that are as dear as so much of these count as equally dear."""


@dataclass(frozen=True)
class Config:
    """Thresholds of the cost outlier; z counts deviations on the logarithmic scale."""

    info_z: float = 2.0
    """From here it is info."""
    low_z: float = 2.5
    """From here it is low."""
    medium_z: float = 3.0
    """From here it is medium."""
    medium_ratio: float = 10.0
    """Multiple of the median from which it is medium, whatever z says."""
    min_usd: float = 0.50
    """Runs below this cost are at most low."""
    call_min_usd: float = 0.25
    """The same for runs of which each model call was dear."""
    usual_runs: int = 2
    """Earlier runs with calls as dear that make it nothing new."""
    min_tokens: int = 50_000
    """The same where nothing is priced."""
    min_runs: int = 10
    """Earlier runs needed for more than info."""
    prior_spread: float = 0.8
    """Spread that is expected before there are runs."""
    prior_weight: float = 10.0
    """How many runs that expectation counts as."""
    min_spread: float = 0.3
    """Least spread."""


def spread(logs: np.ndarray[Any, Any], config: Config) -> tuple[float, float]:
    """Median and shrunk median absolute deviation of logarithms of cost."""
    middle = float(np.median(logs))
    deviation = 1.4826 * float(np.median(np.abs(logs - middle)))
    n = len(logs)
    shrunk = (n * deviation + config.prior_weight * config.prior_spread) / (n + config.prior_weight)
    return middle, max(shrunk, config.min_spread)


@dataclass(frozen=True)
class _Standing:
    """Where a run stands among the earlier ones, in one unit."""

    unit: str
    observed: float
    before: np.ndarray[Any, Any]
    middle: float
    deviation: float

    @property
    def z(self) -> float:
        return (math.log(self.observed) - self.middle) / self.deviation

    @property
    def ratio(self) -> float:
        return self.observed / math.exp(self.middle)


_History = dict[tuple[Any, ...], tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]
_NOTHING = np.array([], "datetime64[ns]"), np.array([], np.float64)
_FEWEST = 3


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run that stands out."""
    runs = spending.measured(frames["runs"]).with_columns(
        pl.col("task_kind").fill_null(""), pl.col("start_time").dt.timestamp("ns").alias("at_ns")
    )
    runs = runs.filter("is_settled", pl.col("measure") > 0, pl.col("actor_id").is_not_null()).unique(
        ["trace_id", "span_id"]
    )
    history = _history(frames["run_costs"])
    least_z = min(config.info_z, config.low_z, config.medium_z)
    least = min(math.exp(least_z * config.min_spread), config.medium_ratio)
    told = []
    for run in rows(runs.sort("start_time", "span_id")):
        before = _before(run, run["unit"], history)
        if len(before) < _FEWEST:
            continue
        shown = _standing(run["unit"], run["measure"], before, least, config)
        severity = _severity(run, shown, config) if shown else None
        if severity not in ALERTS and run["run_calls"]:
            each = _per_call(run, history, config)
            if each is not None and _is_dear(run, each, config):
                severity, shown = "medium", each
        if severity and shown:
            told.append((run, severity, shown))
    # What each was spent on is looked up for these only.
    traces = pl.Series([run["trace_id"] for run, _, _ in told], dtype=pl.String).unique().implode()
    frames = {name: frames[name].filter(pl.col("trace_id").is_in(traces)) for name in ("runs", "costs")}
    return [_signal(run, severity, shown, frames, config) for run, severity, shown in told]


def _history(costs: pl.DataFrame) -> _History:
    """Times and costs of the known runs by actor, task kind and unit, in order of time."""
    groups = costs.unique().sort("at").group_by("actor_id", "task_kind", "unit").agg("at", "value")
    return {
        (actor, kind or "", unit): (at.dt.replace_time_zone(None).to_numpy(), value.to_numpy())
        for actor, kind, unit, at, value in zip(*groups.get_columns(), strict=True)
    }


def _before(run: dict[str, Any], unit: str, history: _History) -> np.ndarray[Any, Any]:
    """What the earlier runs took of a unit."""
    at, values = history.get((run["actor_id"], run["task_kind"], unit), _NOTHING)
    before: np.ndarray[Any, Any] = values[: np.searchsorted(at, np.datetime64(run["at_ns"], "ns"))]
    return before


def _standing(unit: str, observed: float, before: np.ndarray[Any, Any], least: float, config: Config) -> _Standing | None:
    """None where the run lies below `least` times the median, which most do: two medians a run are what costs here."""
    if len(before) < _FEWEST or 2 * np.count_nonzero(before * least <= observed) < len(before) - 1:
        return None
    return _Standing(unit, observed, before, *spread(np.log(before), config))


def _severity(run: dict[str, Any], whole: _Standing, config: Config) -> str | None:
    is_large = run["measure"] >= (config.min_usd if run["unit"] == "usd" else config.min_tokens)
    severity = "info" if whole.z >= config.info_z else None
    if len(whole.before) >= config.min_runs:
        severity = "low" if whole.z >= config.low_z else severity
        if is_large and (whole.z >= config.medium_z or whole.ratio >= config.medium_ratio):
            severity = "medium"
        if severity == "medium" and run["measure"] >= 5 * float(np.quantile(whole.before, 0.99)):
            severity = "high"
    return severity


def _per_call(run: dict[str, Any], history: _History, config: Config) -> _Standing | None:
    """Where a run stands per model call: in tokens where it has any, which no price moves."""
    unit, amount = ("tokens", run["run_tokens"]) if run["run_tokens"] else (run["unit"], run["measure"])
    least = max(math.exp(config.medium_z * config.min_spread), config.medium_ratio)
    unit += spending.PER_CALL
    return _standing(unit, amount / run["run_calls"], _before(run, unit, history), least, config)


def _is_dear(run: dict[str, Any], each: _Standing, config: Config) -> bool:
    """Whether each model call of the run was dear, which is nothing that its runs do now and then, and the run no trifle."""
    least = config.call_min_usd if run["unit"] == "usd" else config.min_tokens * config.call_min_usd / config.min_usd
    is_far = each.z >= config.medium_z and each.ratio >= config.medium_ratio
    is_usual = np.count_nonzero(each.before >= _ABOUT * each.observed) >= config.usual_runs
    return len(each.before) >= config.min_runs and run["measure"] >= least and is_far and not is_usual


def _signal(run: dict[str, Any], severity: str, stands: _Standing, frames: Frames, config: Config) -> Signal:
    median, unit, kind = math.exp(stands.middle), stands.unit, run["task_kind"] or "any work"
    amount = spending.amount(stands.observed, unit)
    spent = spending.below(run, frames["runs"], frames["costs"])
    silent = math.exp(stands.middle + config.info_z * stands.deviation)
    return Signal(
        rule="C3",
        severity=severity,
        confidence=min(0.95, 0.5 + len(stands.before) / 400 + (stands.z - 2) / 10),
        title=f"{run['actor_name']} spent {amount} on {kind}, {stands.ratio:.1f} times its median",
        subject_id=run["actor_id"],
        subject_name=run["actor_name"] or "",
        scope=("run cost", run["task_kind"]),
        trace_id=run["trace_id"],
        span_id=run["span_id"],
        at=run["start_time"],
        evidence=(
            Evidence(
                run["trace_id"],
                run["span_id"],
                "outlier",
                f"{amount} against a median of {spending.amount(median, unit)}",
            ),
            *spending.evidence(spent),
        ),
        baseline={
            "level": "actor and task kind" if run["task_kind"] else "actor",
            "runs": len(stands.before),
            "unit": unit,
            "median": median,
            "p95": float(np.quantile(stands.before, 0.95)),
            "observed": stands.observed,
            "z": round(stands.z, 2),
            "spread": round(stands.deviation, 3),
            "threshold": f"z {config.medium_z:g} or {config.medium_ratio:g} times the median",
        },
        counterfactual=f"silent below {spending.amount(silent, unit)}",
        edits=_dearest(run, unit, spent, silent),
        impact={
            "cost_usd": run["run_cost_usd"],
            "tokens": run["run_tokens"],
            "above_median_usd": stands.observed - median if unit == "usd" else None,
        },
        basis=spending.basis(spent),
        caveats=() if run["unit"] == "usd" else ("no price is known for these calls: compared by tokens",),
    )


def _dearest(run: dict[str, Any], unit: str, spent: pl.DataFrame, silent: float) -> tuple[Edit, ...]:
    """The fewest calls without which the run stays below; the run where single calls are not what is compared."""
    ordered = spent.sort("cost_usd", "span_id", descending=[True, False])
    if unit != "usd" or ordered.is_empty():
        return (Edit(run["trace_id"], run["span_id"]),)
    over = run["run_cost_usd"] - ordered["cost_usd"].cum_sum().shift(1, fill_value=0.0) >= silent
    return tuple(Edit(c["trace_id"], c["span_id"]) for c in rows(ordered.filter(over)))


DETECTOR = Detector(
    id="cost_outlier",
    family="cost",
    title="Runaway cost",
    version=1,
    needs={
        "runs": (
            "trace_id", "span_id", "is_settled", "parent_run_span_id", "actor_id", "actor_name", "task_kind", "run_cost_usd",
            "run_tokens", "run_calls", "start_time",
        ),
        "run_costs": ("actor_id", "task_kind", "unit", "at", "value"),
        "costs": ("trace_id", "span_id", "run_span_id", "name", "cost_usd", "cost_source"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("delegation_", "reexecution_"),
    next_step="Compare the run with a median run: more turns, a longer context, or another model?",
)  # fmt: skip
