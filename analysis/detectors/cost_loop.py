"""A run asks its model again and again and gets no further.

**What it finds.** Runs with more model calls of their own than 95 of 100 earlier runs of the actor and task kind, in which
the latest five calls brought no result of a tool that the run had not seen before; or in which the context has grown more
than three times while less than a fifth of what the latest five answers say is new.

**Why it matters.** Each turn of a loop pays for the whole context again. Frameworks stop after 25 turns, or 10,000.

**Evidence and basis.** The call with which the rule was met, the latest calls up to it, and as context the run. Results are
compared by digest, answers by runs of four words. It takes the place of a run outlier (C3) on the same run.

**What it cannot know.** Whether the last turns were needed to write the answer. Without recorded results and answers it is
silent.

**False positives.** An agent that checks the same list many times on purpose.

**Next step.** Read the latest answers: what does the model wait for? Limit the turns, or let the tool say that nothing is new.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis import spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal
from actorscope.analysis.spending import LATEST

Row = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """Thresholds of the token loop."""

    min_runs: int = 10
    """Earlier runs needed."""
    usual_quantile: float = 0.95
    """Share of the earlier runs that took fewer calls."""
    growth: float = 3.0
    """Multiple of its first size above which a context has grown a lot."""
    novelty: float = 0.2
    """Share of what the latest answers say below which they say nothing new."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run that goes on without getting further."""
    calls: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for call in rows(frames["stretches"].unique(["trace_id", "span_id"]).sort("trace_id", "run_span_id", "nth")):
        calls[call["trace_id"], call["run_span_id"]].append(call)
    runs = frames["runs"].filter(pl.col("actor_id").is_not_null()).unique(["trace_id", "span_id"]).sort("start_time", "span_id")
    history = _history(frames["run_costs"])
    results = _results(frames["actions"])
    signals = []
    for run in rows(runs):
        mine = calls.get((run["trace_id"], run["span_id"]))
        before = [n for at, n in history.get((run["actor_id"], run["task_kind"] or ""), ()) if at < run["start_time"]]
        if mine is None or len(before) < config.min_runs:
            continue
        usual = float(np.quantile(before, config.usual_quantile))
        tip = _tip(mine, results.get((run["trace_id"], run["span_id"]), []), usual, config)
        if tip is not None:
            signals.append(_signal(run, mine, *tip, before, usual, config))
    return signals


def _history(costs: pl.DataFrame) -> dict[tuple[str, str], list[tuple[Any, float]]]:
    known = costs.filter(pl.col("unit") == spending.CALLS).unique().sort("at", "trace_id")
    found: dict[tuple[str, str], list[tuple[Any, float]]] = defaultdict(list)
    for actor, kind, at, value in known.select("actor_id", "task_kind", "at", "value").iter_rows():
        found[actor, kind or ""].append((at, value))
    return found


def _results(actions: pl.DataFrame) -> dict[tuple[str, str], list[tuple[Any, int]]]:
    """By run, when it got which result."""
    known = actions.filter(pl.col("result_digest").is_not_null()).unique(["trace_id", "span_id"]).sort("start_time", "span_id")
    found: dict[tuple[str, str], list[tuple[Any, int]]] = defaultdict(list)
    for trace, run, at, digest in known.select("trace_id", "run_span_id", "start_time", "result_digest").iter_rows():
        found[trace, run].append((at, digest))
    return found


def _tip(calls: list[Row], results: list[tuple[Any, int]], usual: float, config: Config) -> tuple[int, str] | None:
    """The first call beyond the usual number at which the run gets no further, and why."""
    for number in range(max(LATEST, int(usual)), len(calls)):
        call, since = calls[number], calls[number - LATEST + 1]["start_time"]
        earlier = {digest for at, digest in results if at < since}
        latest = [digest for at, digest in results if since <= at < call["start_time"]]
        if latest and earlier.issuperset(latest):
            return number, f"the latest {LATEST} calls brought no new result of a tool"
        if (call["growth"] or 0.0) > config.growth and call["novelty"] is not None and call["novelty"] < config.novelty:
            return number, f"the context grew {call['growth']:.1f} times, and {call['novelty']:.0%} of the latest answers is new"
    return None


def _signal(run: Row, calls: list[Row], tip: int, why: str, before: list[float], usual: float, config: Config) -> Signal:
    after = calls[tip + 1 :]
    spent = sum(call["cost_usd"] or 0.0 for call in after)
    latest = calls[tip - LATEST + 1 : tip]
    surplus = tuple(Edit(call["trace_id"], call["span_id"]) for call in calls[max(LATEST, int(usual)) :])
    return Signal(
        rule="C5",
        severity="medium",
        confidence=0.8,
        title=f"{run['actor_name']} asked its model {len(calls)} times for {run['task_kind'] or 'any work'}: {why}",
        subject_id=run["actor_id"],
        subject_name=run["actor_name"] or "",
        scope=("token loop", run["task_kind"] or ""),
        trace_id=run["trace_id"],
        span_id=run["span_id"],
        at=run["start_time"],
        evidence=(
            Evidence(run["trace_id"], calls[tip]["span_id"], "got no further", f"call {tip + 1} of the run: {why}"),
            *(Evidence(run["trace_id"], call["span_id"], "asked again", f"call {call['nth']}") for call in latest),
            Evidence(run["trace_id"], run["span_id"], "context: run", f"{len(calls)} calls, usually at most {usual:g}"),
        ),
        baseline={
            "level": "actor and task kind" if run["task_kind"] else "actor",
            "runs": len(before),
            "observed": len(calls),
            "expected": f"at most {usual:g} calls, or new results",
            "p95": usual,
            "growth": calls[tip]["growth"],
            "novelty": calls[tip]["novelty"],
            "threshold": {"growth": config.growth, "novelty": config.novelty, "latest_calls": LATEST},
        },
        counterfactual=f"silent with at most {usual:g} calls, or had one of the latest {LATEST} calls brought something new",
        edits=surplus,
        impact={"cost_usd": spent, "calls_after": len(after), "run_cost_usd": run["run_cost_usd"]},
        basis="derived",
        caveats=() if run["run_cost_usd"] else ("no price is known for these calls",),
    )


DETECTOR = Detector(
    id="cost_loop",
    family="cost",
    title="Token loop",
    version=1,
    needs={
        "runs": ("trace_id", "span_id", "actor_id", "actor_name", "task_kind", "run_cost_usd", "start_time"),
        "run_costs": ("actor_id", "task_kind", "unit", "at", "trace_id", "value"),
        "stretches": (
            "trace_id", "run_span_id", "span_id", "start_time", "nth", "input_tokens", "cost_usd", "growth", "novelty",
        ),
        "actions": ("trace_id", "span_id", "run_span_id", "result_digest", "start_time"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("delegation_", "reexecution_"),
    swallows=("cost_outlier",),
    next_step="Read the latest answers: what does the model wait for? Limit the turns of the run.",
)  # fmt: skip
