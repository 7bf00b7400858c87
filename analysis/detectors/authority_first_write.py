"""An agent wrote, or opened links, with a tool that it had never used for this kind of task, or never so often.

**What it finds.** The first runs in which an actor uses a tool that writes or opens links for a task kind, after enough runs of that kind
without it. Without a declared task kind the actor's whole history is the baseline. Where request and arguments are on
record, `authority_untrusted_target` judges what the tool was used on, and the new tool alone is told as low unless it destroys.
Where they are not, one use more than in any run before is told as well, if the first runs were steady in it: an agent
that always opens one page and now opens two.

**Why it matters.** A new write is how a hijacked or drifting agent first becomes visible, and how a legitimate change
of behaviour should be noticed by its owner.

**Evidence and basis.** The action; the number of earlier runs of the kind that never used the tool. The basis is that of
the effect class: declared, or inferred from the tool's name.

**What it cannot know.** Whether the change was wanted. Targets of known tools are not looked at by this rule.

**False positives.** A new version of an agent with new tools; a task with more to do than any before. The first runs of a
kind are learned silently; what is seen in three separate runs is learned as well, unless its runs are too young to tell.

**Next step.** Ask the owner of the agent whether the tool is meant for this work; if so, nothing needs doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, weakest
from actorscope.analysis.novelty import new_uses


@dataclass(frozen=True)
class Config:
    """Thresholds of the first-seen write."""

    min_runs: int = 8
    """Earlier runs of the kind before anything is said (at most 16)."""
    learn_after: int = 3
    """Separate runs with the tool after which it counts as normal."""
    broad_after: int = 2
    """Tools learned after the first runs from which a kind counts as broad: a new tool is then low."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per trace and tool."""
    writes = frames["actions"].filter(
        "is_settled", "is_outward", pl.col("actor_id").is_not_null(), pl.col("tool_name").is_not_null()
    )
    found = new_uses(writes, frames, config.min_runs, config.learn_after)
    return [_signal(row, config) for row in rows(found.sort("start_time", "span_id"))]


def _signal(action: dict[str, Any], config: Config) -> Signal:
    nth, runs = action["nth"], action["runs_before"]
    fewer = "without it" if nth == 1 else f"with fewer than {nth} uses"
    kind = action["task_kind"] or "any work"
    has_kind = bool(action["task_kind"])
    is_broad = action["learned_late"] >= config.broad_after
    at_least = "at least " if action["runs_before"] >= 16 else ""
    destructive = action["side_effect"] == "destructive" and nth == 1
    return Signal(
        rule="P5",
        severity="low"
        if is_broad or (action["is_open"] and not destructive)
        else ("high" if destructive else "medium")
        if has_kind
        else ("medium" if destructive else "low"),
        confidence=0.3 if is_broad else 0.8 if has_kind else 0.5,
        title=f"{action['actor_name']} used {action['tool_name']} for {kind} "
        + ("for the first time" if nth == 1 else f"{nth} times in one run, more often than ever"),
        subject_id=action["actor_id"],
        subject_name=action["actor_name"] or "",
        scope=(action["task_kind"], action["tool_name"]),
        trace_id=action["trace_id"],
        span_id=action["span_id"],
        at=action["start_time"],
        evidence=(
            Evidence(
                action["trace_id"],
                action["span_id"],
                "first use" if nth == 1 else "one use more",
                f"{action['tool_name']} ({action['side_effect']}) after {at_least}{runs} runs {fewer}",
            ),
        ),
        baseline={
            "level": "actor and task kind" if has_kind else "actor",
            "runs": action["runs_before"],
            "observed": f"run number {action['rank']} with "
            + (f"{action['tool_name']}" if nth == 1 else f"{nth} uses of {action['tool_name']}"),
            "expected": "a tool that earlier runs used" if nth == 1 else f"at most {nth - 1} uses in a run",
            "parameters": {"min_runs": config.min_runs, "learn_after": config.learn_after},
        },
        counterfactual=f"silent if one of the first {runs} runs had used {action['tool_name']}"
        + (", or without it in this one" if nth == 1 else f" {nth} times, or with one use less in this one"),
        edits=tuple(Edit(action["trace_id"], span) for span in action["uses"][action["at_use"] :]),
        impact={"side_effect": action["side_effect"], "target": action["target"] or "", "cost_usd": action["cost_usd"]},
        basis=weakest(action["side_effect_basis"], action["actor_basis"]),
        caveats=(
            *(() if has_kind else ("no task kind is declared: compared with everything the agent did",)),
            *(("request and arguments are on record and show no untrusted target",) if action["is_open"] else ()),
            *((f"the kind is broad: {action['learned_late']} other tools came later and stayed",) if is_broad else ()),
        ),
    )


DETECTOR = Detector(
    id="authority_first_write",
    family="authority",
    title="First write of its kind",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "is_settled", "is_outward", "actor_id", "actor_name", "actor_basis", "task_kind", "tool_name",
            "side_effect", "side_effect_basis", "target", "cost_usd", "start_time", "is_open", "is_error",
        ),
        "first_uses": ("actor_id", "task_kind", "tool_name", "trace_id", "at"),
        "learned_tools": ("actor_id", "task_kind", "tool_name", "at"),
        "nth_uses": ("actor_id", "task_kind", "tool_name", "nth", "trace_id", "at"),
        "first_runs": ("actor_id", "task_kind", "trace_id", "at"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("authority_untrusted_target",),
    next_step="Ask the agent's owner whether this tool is meant for this work.",
)  # fmt: skip
