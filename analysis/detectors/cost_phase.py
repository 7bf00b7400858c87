"""One phase of a run cost far more than it did in earlier runs of the same agent.

**What it finds.** Runs of which one declared phase (planning, retrieval, evaluation and so on) took far more than in earlier
runs of the actor and task kind, on a logarithmic scale, more than in any of them, and a good part of what the run spent.

**Why it matters.** The whole may look usual while the work has moved: an agent that plans for ever and does little.

**Evidence and basis.** The run and the costliest calls of the phase; median and spread of up to 100 earlier runs, as for the
run outlier. Only what spans declare as `actorscope.cost.phase` is compared, and what the run spent itself.

**What it cannot know.** Phases that nobody declares.

**False positives.** A task that needed more of one phase than any before.

**Next step.** Compare what this phase did with a usual run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal
from actorscope.analysis.standing import Prior, Standing, spread


@dataclass(frozen=True)
class Config:
    """Thresholds of the phase outlier; z counts deviations on the logarithmic scale."""

    low_z: float = 3.0
    """From here it is low."""
    min_share: float = 0.3
    """Least share of what the run spent itself."""
    min_usd: float = 0.10
    """Least that the phase cost."""
    min_runs: int = 10
    """Earlier runs with the phase needed."""
    prior_spread: float = 0.8
    """Spread that is expected before there are runs."""
    prior_weight: float = 10.0
    """How many runs that expectation counts as."""
    min_spread: float = 0.3
    """Least spread."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run and phase that stands out."""
    prior = Prior(config.prior_spread, config.prior_weight, config.min_spread)
    known = frames["phase_costs"].with_columns(pl.col("task_kind").fill_null("")).unique().sort("at", "trace_id")
    histories = {key: rows(group) for key, group in known.group_by("actor_id", "task_kind", "phase", maintain_order=True)}
    costs = frames["costs"].filter(pl.col("phase").is_not_null()).unique(["trace_id", "span_id"])
    runs = frames["runs"].filter("is_settled", pl.col("actor_id").is_not_null()).unique(["trace_id", "span_id"])
    place = ["trace_id", "run_span_id"]
    own = frames["costs"].unique(["trace_id", "span_id"]).group_by(place).agg(pl.col("cost_usd").sum().alias("own_usd"))
    phases = costs.group_by(*place, "phase").agg(pl.col("cost_usd").sum()).join(own, on=place)
    found = runs.join(phases, left_on=["trace_id", "span_id"], right_on=place).sort("start_time", "span_id", "phase")
    found = found.filter(pl.col("cost_usd") >= config.min_usd, pl.col("cost_usd") >= config.min_share * pl.col("own_usd"))
    signals = []
    for run in rows(found):
        history = histories.get((run["actor_id"], run["task_kind"] or "", run["phase"]), [])
        before = np.array([row["value"] for row in history if row["at"] < run["start_time"]])
        if len(before) < config.min_runs:
            continue
        stands = Standing("actor and task kind", "usd", run["cost_usd"], before, *spread(np.log(before), prior))
        if stands.z >= config.low_z and stands.observed > before.max():
            signals.append(_signal(run, stands, costs, config))
    return signals


def _signal(run: dict[str, Any], stands: Standing, costs: pl.DataFrame, config: Config) -> Signal:
    mine = costs.filter(
        pl.col("trace_id") == run["trace_id"], pl.col("run_span_id") == run["span_id"], pl.col("phase") == run["phase"]
    )
    silent = max(stands.at_z(config.low_z), float(stands.before.max()))
    ordered = mine.sort("cost_usd", "span_id", descending=[True, False])
    over = run["cost_usd"] - ordered["cost_usd"].cum_sum().shift(1, fill_value=0.0) >= silent
    return Signal(
        rule="C4",
        severity="low",
        confidence=min(0.9, 0.5 + len(stands.before) / 400),
        title=f"{run['actor_name']} spent ${run['cost_usd']:.4g} on {run['phase']}, {stands.ratio:.1f} times its median",
        subject_id=run["actor_id"],
        subject_name=run["actor_name"] or "",
        scope=("phase cost", run["task_kind"] or "", run["phase"]),
        trace_id=run["trace_id"],
        span_id=run["span_id"],
        at=run["start_time"],
        evidence=(
            Evidence(run["trace_id"], run["span_id"], "outlier", f"{run['phase']} against a median of ${stands.median:.4g}"),
            *spending.evidence(mine),
        ),
        baseline={
            "level": stands.level if run["task_kind"] else "actor",
            "runs": len(stands.before),
            "phase": run["phase"],
            "share": run["cost_usd"] / run["own_usd"],
            "median": stands.median,
            "observed": stands.observed,
            "z": round(stands.z, 2),
            "threshold": f"z {config.low_z:g}",
        },
        counterfactual=f"silent below ${silent:.4g} for {run['phase']}",
        edits=tuple(Edit(c["trace_id"], c["span_id"]) for c in rows(ordered.filter(over))),
        impact={"cost_usd": run["cost_usd"], "above_median_usd": run["cost_usd"] - stands.median},
        basis=spending.basis(mine),
    )


DETECTOR = Detector(
    id="cost_phase",
    family="cost",
    title="Dear phase",
    version=1,
    needs={
        "runs": ("trace_id", "span_id", "is_settled", "actor_id", "actor_name", "task_kind", "start_time"),
        "phase_costs": ("actor_id", "task_kind", "phase", "at", "trace_id", "value"),
        "costs": ("trace_id", "span_id", "run_span_id", "name", "phase", "cost_usd", "cost_source"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("delegation_", "reexecution_", "cost_loop", "cost_outlier"),
    next_step="Compare what this phase did with a usual run.",
)  # fmt: skip
