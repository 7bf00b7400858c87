"""The runs of an agent have become dearer for good, each of them by too little to stand out.

**What it finds.** A lasting rise of what runs of one actor and task kind cost: a one-sided CUSUM over the logarithm of
run cost, against the level and spread of the oldest runs that are remembered.

**Why it matters.** A new prompt, model or retry policy that doubles the bill hides in the spread between runs.

**Evidence and basis.** The run at which the sum crosses its limit, with the runs since the rise as context. Declared where
spans state their cost, derived where the price list was used.

**What it cannot know.** Whether the work itself became more. A rise that began before the oldest remembered run.

**False positives.** Costs with a heavy tail; single dear runs are capped before they are summed.

**Next step.** Compare a run of now with one of before: model, length of context, number of turns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal

_KEY = ["actor_id", "task_kind", "unit"]
_SHOWN = 10


@dataclass(frozen=True)
class Config:
    """Thresholds of the lasting rise; deviations are on the logarithmic scale."""

    baseline_runs: int = 40
    """Oldest remembered runs that say what is normal."""
    slack: float = 0.5
    """Deviations above normal that are no rise (CUSUM's k)."""
    limit: float = 8.0
    """Sum of deviations at which the rise is told (CUSUM's h)."""
    most: float = 2.5
    """Deviations that one run counts for at most."""
    medium_ratio: float = 1.6
    """Rise of the median since from which it is medium."""
    prior_spread: float = 0.8
    """Spread that is expected before there are runs."""
    prior_weight: float = 10.0
    """How many runs that expectation counts as."""
    min_spread: float = 0.3
    """Least spread."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per actor, task kind and unit: at the run that made the rise certain."""
    costs = frames["run_costs"].filter(pl.col("value") > 0).unique([*_KEY, "trace_id"]).sort("at", "trace_id")
    names = dict(
        frames["runs"]
        .filter(pl.col("actor_id").is_not_null())
        .sort("start_time", "span_id")
        .select("actor_id", "actor_name")
        .rows()
    )
    told = spending.basis(frames["costs"])
    found = (_judge(group, config) for _, group in costs.group_by(_KEY, maintain_order=True))
    signals = [_signal(*rise, names, told, config) for rise in found if rise is not None]
    return sorted(signals, key=lambda s: (s.at, s.span_id))


def _judge(group: pl.DataFrame, config: Config) -> tuple[list[dict[str, Any]], int, int, float, float] | None:
    """The runs, where the rise began and where it was certain, normal level and rise."""
    logs = np.log(group["value"].to_numpy())
    normal = logs[: config.baseline_runs]
    if len(logs) <= config.baseline_runs:
        return None
    middle = float(np.median(normal))
    deviation = 1.4826 * float(np.median(np.abs(normal - middle)))
    weight = config.prior_weight
    spread = max((len(normal) * deviation + weight * config.prior_spread) / (len(normal) + weight), config.min_spread)
    total, began = 0.0, 0
    for number in range(config.baseline_runs, len(logs)):
        if total == 0:
            began = number
        total = max(0.0, total + min((logs[number] - middle) / spread, config.most) - config.slack)
        if total >= config.limit:
            return (
                rows(group),
                began,
                number,
                math.exp(middle),
                math.exp(float(np.median(logs[began : number + 1])) - middle),
            )
    return None


def _signal(
    runs: list[dict[str, Any]],
    began: int,
    at: int,
    normal: float,
    rise: float,
    names: dict[str, str],
    basis: str,
    config: Config,
) -> Signal:
    run, since = runs[at], runs[began:at]
    kind, unit = run["task_kind"] or "any work", run["unit"]
    name = names.get(run["actor_id"]) or run["actor_id"]

    def place(of: dict[str, Any]) -> tuple[str, str]:
        trace_id, _, span_id = of["trace_id"].partition(":")
        return trace_id, span_id

    def amount(value: float) -> str:
        return f"${value:.4g}" if unit == "usd" else f"{value:,.0f} tokens"

    return Signal(
        rule="C6",
        severity="medium" if rise >= config.medium_ratio else "low",
        confidence=0.8,
        title=f"Runs of {name} for {kind} cost {rise:.1f} times what they did, since {runs[began]['at']:%Y-%m-%d %H:%M}",
        subject_id=run["actor_id"],
        subject_name=name,
        scope=("regime", run["task_kind"] or "", unit),
        trace_id=place(run)[0],
        span_id=place(run)[1],
        at=run["at"],
        evidence=(
            *(
                Evidence(*place(r), "context: run since the rise", f"cost {amount(r['value'])}")
                for r in since[-_SHOWN:]
            ),
            Evidence(*place(run), "the rise is certain", f"cost {amount(run['value'])}, normal is {amount(normal)}"),
        ),
        baseline={
            "level": "actor and task kind" if run["task_kind"] else "actor",
            "runs": config.baseline_runs,
            "unit": unit,
            "expected": normal,
            "observed": normal * rise,
            "threshold": f"CUSUM {config.limit:g} with slack {config.slack:g}",
        },
        counterfactual=f"silent without the {len(runs) - began} runs since the rise, or had they cost {amount(normal)}, as before",
        edits=tuple(Edit(*place(r)) for r in runs[began:]),
        impact={
            "cost_usd": sum(r["value"] for r in runs[began : at + 1]) if unit == "usd" else None,
            "runs": at - began + 1,
        },
        basis=basis,
    )


DETECTOR = Detector(
    id="cost_regime",
    family="cost",
    title="Lasting rise of cost",
    version=1,
    needs={
        "runs": ("actor_id", "actor_name", "start_time", "span_id"),
        "run_costs": ("actor_id", "task_kind", "unit", "at", "trace_id", "value"),
        "costs": ("cost_source",),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("delegation_", "reexecution_"),
    next_step="Compare a run of now with one of before: model, context, turns.",
    quiet_hours=24.0 * 14,
)  # fmt: skip
