"""An agent is started again while an earlier start of it is still waiting: A -> B -> C -> A.

**What it finds.** A run of an actor among whose open ancestors the same actor already stands, on one path of delegation; or
one of the same role (names that differ only in a number or id at their end) with the same task.

**Why it matters.** Every agent on the path waits for the one below. Without progress the loop pays for itself until
a limit, a timeout or the budget ends it, and frameworks have raised or dropped their limits.

**Evidence and basis.** The runs on the path, from the first start of the actor to the repeated one. The basis is that of
the actors' identities.

**What it cannot know.** Whether the agents made progress that no span shows. Without the text of the tasks a single
return is reported low, because recursion can be legitimate.

**False positives.** A planner that hands a smaller part of its task to itself: a different task is only info.

**Next step.** Open the run, read the tasks on the path, end the outermost run, and give the returning agent a tool to
answer instead of one to delegate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import ALERTS, EVIDENCE_LIMIT, Edit, Evidence, Signal, weakest
from actorscope.analysis.paths import ancestors

_INSTANCE = re.compile(r"(?i)[\s_\-#:.]*(?:\d+|(?=[0-9a-f]*\d)[0-9a-f]{4,})$")
"""What tells instances of one role apart at the end of their names."""


@dataclass(frozen=True)
class Config:
    """Thresholds of the delegation cycle."""

    same_goal: float = 0.8
    """Similarity of two tasks from which they count as the same (see `similarity`)."""
    high_revolutions: int = 2
    """Returns of the same actor from which the finding is high."""
    high_depth: int = 12
    """Runs on one path from which the finding is high."""


def similarity(task: str | None, earlier: str | None) -> float | None:
    """How much a task is an earlier one again, 0 to 1; None when a text is missing.

    The share of common words (Jaccard), or of the earlier task's words that are all still there: a task that was merely
    wrapped in more words has not become smaller.
    """
    if not task or not earlier:
        return None
    a, b = set(task.lower().split()), set(earlier.lower().split())
    return max(len(a & b) / len(a | b), len(a & b) / len(b)) if a and b else None


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per trace and set of actors in the cycle, for the deepest return, apart for what is no alert."""
    runs = {(r["trace_id"], r["span_id"]): r for r in rows(frames["runs"])}
    best: dict[tuple[Any, ...], Signal] = {}
    cuts: dict[tuple[Any, ...], set[tuple[str, str]]] = {}
    for run in runs.values():
        # A run that ended before this one began does not wait for it.
        path = [above for above in ancestors(run, runs) if above["end_time"] >= run["start_time"]]
        returns = [i for i, above in enumerate(path) if _is_again(run, above, config)]
        if not run["actor_id"] or not returns:
            continue
        signal = _signal([*reversed(path[: returns[-1] + 1]), run], len(returns), path[returns[0]], len(path), config)
        key = (signal.trace_id, signal.scope, signal.severity in ALERTS)
        cuts.setdefault(key, set()).add(_first_return([*reversed(path), run], config))
        if key not in best or _rank(signal) > _rank(best[key]):
            best[key] = signal
    whole = [replace(s, edits=tuple(Edit(*place) for place in sorted(cuts[key]))) for key, s in best.items()]
    return sorted(whole, key=lambda s: (s.at, s.span_id))


def _is_again(run: dict[str, Any], above: dict[str, Any], config: Config) -> bool:
    """The same actor, or the same role with the same task."""
    if above["actor_id"] == run["actor_id"]:
        return True
    role = _role_of(run)
    # Agents of one name with two ids are two agents.
    if not role or run["actor_name"] == above["actor_name"] or role != _role_of(above):
        return False
    return (similarity(run["request"], above["request"]) or 0.0) >= config.same_goal


def _role_of(run: dict[str, Any]) -> str:
    return _INSTANCE.sub("", run["actor_name"] or "").lower()


def _first_return(path: list[dict[str, Any]], config: Config) -> tuple[str, str]:
    """Where a path, outermost first, comes back to an actor for the first time: without this run there is no cycle on it."""
    first = next(r for i, r in enumerate(path) if any(_is_again(r, above, config) for above in path[:i]))
    return first["trace_id"], first["span_id"]


def _rank(signal: Signal) -> tuple[int, int, str]:
    return signal.baseline["revolutions"], signal.baseline["depth"], signal.span_id


def _severity(revolutions: int, depth: int, alike: float | None, config: Config) -> str:
    if alike is None:
        return "medium" if revolutions >= config.high_revolutions else "low"
    if alike < config.same_goal:
        return "info"
    return "high" if revolutions >= config.high_revolutions or depth >= config.high_depth else "medium"


def _signal(
    cycle: list[dict[str, Any]], revolutions: int, earlier: dict[str, Any], depth: int, config: Config
) -> Signal:
    """`cycle` runs from the outermost start of the actor to the repeated one; `earlier` is its nearest earlier start."""
    run, actors = cycle[-1], list(dict.fromkeys(r["actor_id"] for r in cycle))
    alike = similarity(run["request"], earlier["request"])
    names = " -> ".join(str(r["actor_name"]) for r in (cycle if len(cycle) <= 6 else [*cycle[:5], run]))
    first_return = next(r for r in cycle[1:] if _is_again(run, r, config))
    severity = _severity(revolutions, depth, alike, config)
    shown = cycle if len(cycle) <= EVIDENCE_LIMIT else [*cycle[: EVIDENCE_LIMIT - 1], run]
    evidence = tuple(
        Evidence(
            r["trace_id"], r["span_id"], _role(i, r, cycle, config), f"run of {r['actor_name']}, open while the next one runs"
        )
        for i, r in enumerate(shown)
    )
    return Signal(
        rule="D1a",
        severity=severity,
        confidence=0.6 if alike is None else 0.95 if alike >= config.same_goal else 0.3,
        title=f"Delegation cycle: {names}",
        subject_id=run["actor_id"],
        subject_name=run["actor_name"] or "",
        # New instances of one role are one cycle, however many there are.
        scope=tuple(sorted(actors if earlier["actor_id"] == run["actor_id"] else {_role_of(r) for r in cycle})),
        trace_id=run["trace_id"],
        span_id=run["span_id"],
        at=run["start_time"],
        evidence=evidence,
        baseline={
            "level": "path of open runs",
            "revolutions": revolutions,
            "depth": depth,
            "observed": f"the task is {alike:.0%} the same"
            if alike is not None
            else "the texts of the tasks are not recorded",
            "threshold": f"same task from {config.same_goal:.0%}",
        },
        counterfactual=f"silent if {run['actor_name']} had not been started again below its own open run, or with a different task",
        impact={
            "cost_usd": first_return["run_cost_usd"],
            "tokens": first_return["run_tokens"],
            "what": "spent from the first return on",
            "cheapest_cut": f"{cycle[-2]['actor_name']} -> {run['actor_name']}",
        },
        basis=weakest(*(r["actor_basis"] for r in cycle)),
        caveats=() if alike is not None else ("the tasks cannot be compared: no content was recorded",),
    )


def _role(index: int, run: dict[str, Any], cycle: list[dict[str, Any]], config: Config) -> str:
    if index == 0:
        return "context: first start"
    return "returns" if _is_again(cycle[-1], run, config) else "on the path"


DETECTOR = Detector(
    id="delegation_cycle",
    family="delegation",
    title="Delegation cycle",
    version=1,
    needs={
        "runs": (
            "trace_id", "span_id", "parent_run_span_id", "actor_id", "actor_name", "actor_basis", "request",
            "start_time", "end_time", "run_cost_usd", "run_tokens",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Open the run, compare the tasks on the path, end the outermost run.",
)  # fmt: skip
