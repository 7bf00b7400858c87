"""A run cost far more than runs of the same agent for the same kind of task.

**What it finds.** Runs whose cost (tokens where nothing is priced), with all they delegated, lies far above the earlier
ones on a logarithmic scale and is as dear as the dearest of them; also runs of which each model call was dear as none was
before, in what it wrote (cost where that is not known), although few turns make the whole look usual.

**Why it matters.** Runaway loops, swollen contexts and wrong models show first in what a run costs. Cost is log-normal with
a heavy upper end: on a plain scale one run in ten would look strange, and measured from the middle alone still one in
twenty.

**Evidence and basis.** The run and its costliest calls; median and spread of up to 400 earlier runs. Compared with those of
the actor, task kind and model, else of the actor and task kind; while these are fewer than ten, with other kinds of task
of the actor or other actors with the task kind, at low at most; the baseline names the level. The spread is the median
deviation or the upper decile, whichever lies farther out, drawn towards 0.8 while there are few runs. For an alert one
run in a hundred, or none of fewer, may have been about as dear.

**What it cannot know.** Whether the task was simply larger.

**False positives.** The first very large task: of 823 steady runs of agents with heavy tails 2.3 % were told at any severity
and 0.6 % as medium, each of those 12 times its median or more and without precedent.

**Next step.** Compare the run with a median run: more turns, a longer context, or another model?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import ALERTS, Edit, Evidence, Signal
from actorscope.analysis.standing import Histories, Prior, Standing


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
    """Multiple of the median from which it is medium where it is low at least."""
    min_usd: float = 0.50
    """Runs below this cost are at most low."""
    call_min_usd: float = 0.25
    """The same for runs of which each model call was dear."""
    usual_share: float = 0.01
    """Share of the earlier runs, or one, that were about as dear and make it nothing new: at most low."""
    dearest_share: float = 0.95
    """Share of what the dearest earlier run cost from which it is told at all."""
    high_runs: int = 100
    """Earlier runs needed for high: five times what 99 of 100 stay below."""
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


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run that stands out."""
    runs = spending.measured(frames["runs"]).with_columns(
        pl.col("task_kind").fill_null(""), pl.col("start_time").dt.timestamp("ns").alias("at_ns")
    )
    runs = runs.filter("is_settled", pl.col("measure") > 0, pl.col("actor_id").is_not_null()).unique(
        ["trace_id", "span_id"]
    )
    prior = Prior(config.prior_spread, config.prior_weight, config.min_spread)
    histories = Histories(frames["run_costs"], frames["wider_costs"], prior)
    signals = []
    for run in rows(runs.sort("start_time", "span_id")):
        whole = histories.standing(run, run["unit"], run["measure"], config.min_runs)
        severity, shown = (_severity(run, whole, config) if whole else None), whole
        if severity not in ALERTS and run["run_calls"]:
            each = _per_call(run, histories, config)
            if each is not None and _is_dear(run, each, config):
                severity, shown = "medium", each
        if severity and shown:
            signals.append(_signal(run, severity, shown, frames, config))
    return signals


def _severity(run: dict[str, Any], whole: Standing, config: Config) -> str | None:
    if whole.z < config.info_z or whole.observed < config.dearest_share * whole.before.max():
        return None
    if len(whole.before) < config.min_runs:
        return "info"
    severity = "low" if whole.z >= config.low_z else "info"
    is_large = run["measure"] >= (config.min_usd if run["unit"] == "usd" else config.min_tokens)
    is_far = whole.z >= config.medium_z or (whole.z >= config.low_z and whole.ratio >= config.medium_ratio)
    if whole.is_own and is_large and is_far and whole.is_new(config.usual_share):
        severity = "medium"
        if len(whole.before) >= config.high_runs and whole.observed >= 5 * float(np.quantile(whole.before, 0.99)):
            severity = "high"
    return severity


def _per_call(run: dict[str, Any], histories: Histories, config: Config) -> Standing | None:
    """Where a run stands per model call: in what the model wrote, which no price moves and no large document that it read;
    else in what is known.
    """
    unit, amount = run["unit"] + spending.PER_CALL, run["measure"]
    if run["run_output_tokens"]:
        unit, amount = spending.WRITTEN, run["run_output_tokens"]
    each = histories.standing(run, unit, amount / run["run_calls"], config.min_runs)
    return each if each is not None and each.is_own and len(each.before) >= config.min_runs else None


def _is_dear(run: dict[str, Any], each: Standing, config: Config) -> bool:
    """Whether each model call of the run was dear as none was before, and the run no trifle."""
    least = config.call_min_usd if run["unit"] == "usd" else config.min_tokens * config.call_min_usd / config.min_usd
    is_far = each.z >= config.low_z and each.ratio >= config.medium_ratio
    return run["measure"] >= least and is_far and each.is_new(config.usual_share)


def _signal(run: dict[str, Any], severity: str, stands: Standing, frames: Frames, config: Config) -> Signal:
    median, unit, kind = stands.median, stands.unit, run["task_kind"] or "any work"
    amount = spending.amount(stands.observed, unit)
    spent = spending.below(run, frames["runs"], frames["costs"])
    silent = max(stands.at_z(config.info_z), config.dearest_share * float(stands.before.max()))
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
            "level": stands.level if run["task_kind"] else stands.level.replace(" and task kind", ""),
            "runs": len(stands.before),
            "unit": unit,
            "median": median,
            "p95": float(np.quantile(stands.before, 0.95)),
            "observed": stands.observed,
            "z": round(stands.z, 2),
            "spread": round(stands.deviation, 3),
            "threshold": f"z {config.medium_z:g}, or {config.medium_ratio:g} times the median from z {config.low_z:g}",
            "dearest": float(stands.before.max()),
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
            "run_tokens", "run_output_tokens", "run_calls", "run_model", "start_time",
        ),
        "run_costs": ("actor_id", "task_kind", "unit", "at", "trace_id", "value"),
        "wider_costs": ("level", "of", "unit", "at", "trace_id", "value"),
        "costs": ("trace_id", "span_id", "run_span_id", "name", "cost_usd", "cost_source"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("delegation_", "reexecution_"),
    next_step="Compare the run with a median run: more turns, a longer context, or another model?",
)  # fmt: skip
