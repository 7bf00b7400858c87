"""Work is handed on deeper, or to more delegates at once, than this agent ever does.

**What it finds.** A path of open runs that is longer, or a run with more delegates, than a fixed limit and than the agent at
the top usually has. The ids of the agents do not matter: a chain of ever new agents has no cycle and is found here.

**Why it matters.** Frameworks have raised or dropped their limits on steps; each level pays for all that it hands on.

**Evidence and basis.** The runs on the path, or the first delegates beyond the limit. The baseline is the same agent's own
earlier runs. The basis is that of the actors' identities.

**What it cannot know.** Runs below an agent that sends no telemetry.

**False positives.** A planner whose first large task of its kind this is: until it has a few of them, only the fixed limit counts.

**Next step.** Compare the tasks along the path; set a limit of depth or of delegates in the framework.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence, Signal, weakest
from actorscope.analysis.paths import ancestors

Run = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """What is too deep and too wide."""

    depth: int = 8
    """Runs on one path up to which it is never reported."""
    depth_margin: int = 3
    """How many more than the 99th percentile of the agent's own earlier runs are allowed."""
    fan_out: int = 32
    """Delegates of one run up to which it is never reported."""
    fan_out_factor: float = 5.0
    """Multiple of the 99th percentile of the agent's own earlier runs that is allowed."""
    high_factor: float = 2.0
    """Multiple of the limit from which it is high."""
    min_history: int = 8
    """Earlier runs from which their percentile counts."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run at the top that is too deep, and per run that is too wide."""
    runs = {(r["trace_id"], r["span_id"]): r for r in rows(frames["runs"]) if r["actor_id"]}
    history: dict[tuple[str, str], list[tuple[datetime, str, float]]] = {}
    for shape in rows(frames["run_shapes"]):
        history.setdefault((shape["actor_id"], shape["measure"]), []).append((shape["at"], shape["trace_id"], shape["value"]))
    found = [*_deep(runs, history, config), *_wide(runs, history, config)]
    return sorted(found, key=lambda s: (s.at, s.span_id))


def _usual(history: dict[tuple[str, str], list[tuple[datetime, str, float]]], run: Run, measure: str, config: Config) -> float | None:
    """The 99th percentile of the agent's runs before this one; one odd run alone does not move it."""
    mine = f"{run['trace_id']}:{run['span_id']}"
    before = sorted(v for at, place, v in history.get((run["actor_id"], measure), []) if at < run["start_time"] and place != mine)
    return before[int(0.99 * (len(before) - 1))] if len(before) >= config.min_history else None


def _path(run: Run, runs: dict[tuple[Any, Any], Run]) -> list[Run]:
    """The run and the open ones above it, the topmost first."""
    return [run, *takewhile(lambda above: above["end_time"] >= run["start_time"], ancestors(run, runs))][::-1]


def _deep(runs: dict[tuple[Any, Any], Run], history: dict[Any, Any], config: Config) -> Iterator[Signal]:
    longest: dict[tuple[str, str], list[Run]] = {}
    for run in runs.values():
        path = _path(run, runs)
        top = (path[0]["trace_id"], path[0]["span_id"])
        if len(path) > config.depth and (len(path), run["span_id"]) > (len(longest.get(top, ())), longest.get(top, [run])[-1]["span_id"]):
            longest[top] = path
    for path in longest.values():
        usual = _usual(history, path[0], "depth", config)
        limit = int(max(config.depth, (usual or 0) + config.depth_margin if usual is not None else 0))
        if len(path) > limit:
            beyond = [r for r in runs.values() if len(p := _path(r, runs)) == limit + 1 and p[0] is path[0]]
            yield _signal(path[0], path[: limit + 1], beyond, len(path), limit, usual, "depth", config)


def _wide(runs: dict[tuple[Any, Any], Run], history: dict[Any, Any], config: Config) -> Iterator[Signal]:
    below: dict[tuple[str, str], list[Run]] = {}
    for run in runs.values():
        if run["parent_run_span_id"]:
            below.setdefault((run["trace_id"], run["parent_run_span_id"]), []).append(run)
    for place, delegates in below.items():
        if len(delegates) <= config.fan_out or place not in runs:
            continue
        usual = _usual(history, runs[place], "fan_out", config)
        limit = int(max(config.fan_out, config.fan_out_factor * (usual or 0)))
        if len(delegates) > limit:
            order = sorted(delegates, key=lambda r: (r["start_time"], r["span_id"]))
            seen = [runs[place], *order[: limit + 1]]
            yield _signal(runs[place], seen, order[limit:], len(delegates), limit, usual, "fan_out", config)


def _signal(
    top: Run, seen: list[Run], beyond: list[Run], observed: int, limit: int, usual: float | None, measure: str, config: Config
) -> Signal:
    """`seen` ends with the run that tipped it; without `beyond` there are no more than allowed."""
    tip, what = seen[-1], {"depth": "runs on one path", "fan_out": "delegates of one run"}[measure]
    shown = [seen[0], *seen[-(EVIDENCE_LIMIT - 1) :]] if len(seen) > EVIDENCE_LIMIT else seen
    evidence = tuple(
        Evidence(
            r["trace_id"], r["span_id"], "one too many" if r is tip else "context: at the top" if r is top else "context: before it",
            f"run of {r['actor_name']}",
        )
        for r in shown
    )  # fmt: skip
    return Signal(
        rule="D1b",
        severity="high" if observed >= config.high_factor * limit else "medium",
        confidence=0.85 if usual is not None else 0.75,
        title=f"{top['actor_name']} hands on work {'too deep' if measure == 'depth' else 'too widely'}: {observed} {what}",
        subject_id=top["actor_id"],
        subject_name=top["actor_name"] or "",
        scope=(measure,),
        trace_id=top["trace_id"],
        span_id=tip["span_id"],
        at=tip["start_time"],
        evidence=evidence,
        baseline={
            "level": "agent" if usual is not None else "fixed limit",
            "observed": observed,
            "expected": usual,
            "threshold": limit,
        },
        counterfactual=f"silent if there had been at most {limit} {what}, the run {tip['span_id']} and those after it absent",
        edits=tuple(Edit(r["trace_id"], r["span_id"]) for r in sorted(beyond, key=lambda r: (r["start_time"], r["span_id"]))),
        impact={"cost_usd": tip["run_cost_usd"], "tokens": tip["run_tokens"], "what": "spent by the first run beyond the limit and below"},
        basis=weakest(top["actor_basis"], tip["actor_basis"]),
    )


DETECTOR = Detector(
    id="delegation_runaway",
    family="delegation",
    title="Runaway delegation",
    version=1,
    needs={
        "runs": (
            "trace_id", "span_id", "parent_run_span_id", "actor_id", "actor_name", "actor_basis", "start_time", "end_time",
            "run_cost_usd", "run_tokens",
        ),
        "run_shapes": ("actor_id", "measure", "at", "trace_id", "value"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    next_step="Compare the tasks along the path; set a limit of depth or of delegates in the framework.",
)  # fmt: skip
