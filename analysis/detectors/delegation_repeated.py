"""An agent gives another one the same task again, and gets the same answer again.

**What it finds.** In one trace, a task that a delegator gave to the same delegate before in much the same words, answered
as before or not at all. Much the same words without a look at the answers are only low; from many askings on they are
medium whatever the answers were.

**Why it matters.** It is how orchestrators get stuck: every round costs a model call on each side and brings nothing.

**Evidence and basis.** The runs that got the task: the first one explains, the one that repeats it accuses. Compared are
the words of the tasks (Jaccard) and every three words in a row of the answers. Inferred from texts.

**What it cannot know.** Progress that the answer does not show, and tasks whose texts were not recorded.

**False positives.** The same task for another thing (another name, another number) is no repetition, and neither is a task
from which something was taken away, or one given to several at once. An orchestrator that waits for something outside by asking again.

**Next step.** Compare the two answers, then tell the orchestrator what to do when an answer brings nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence, Signal, weakest
from actorscope.analysis.likeness import Grams, grams, is_about_another, jaccard, kept, words

Task = dict[str, Any]
_SHORT = 8
"""Words up to which an answer ("Done.") says nothing by being the same."""


@dataclass(frozen=True)
class Config:
    """From when on a task is the same, and an answer is."""

    same_task: float = 0.33
    """Share of common words from which a task is asked again, when the answer is the same too."""
    same_answer: float = 0.5
    """Share of common three-word sequences from which two answers are the same."""
    alike_task: float = 0.5
    """Share of common four-word sequences from which a task is asked again in a row, whatever the answer (low)."""
    kept_task: float = 0.8
    """Share of an earlier task's words that must still be there to count for `many`."""
    many: int = 5
    """Askings for the same from which the finding is medium whatever the answers were."""
    many_unanswered: int = 3
    """The same where no answer of the delegate was recorded, for tasks in exactly the same words."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per trace and pair of agents, for the first repetition that is grave enough."""
    pairs: dict[tuple[str, str, str], list[Task]] = {}
    for task in sorted(rows(frames["tasks"].unique()), key=lambda t: (t["start_time"], t["span_id"])):
        task["words"], task["answer"] = grams(task["request"], 1), grams(task["reply"], 3)
        pairs.setdefault((task["trace_id"], task["delegator_id"], task["delegate_id"]), []).append(task)
    found = (_judge(tasks, config) for _, tasks in sorted(pairs.items()))
    return [signal for signal in found if signal is not None]


def _judge(tasks: list[Task], config: Config) -> Signal | None:
    stuck = list(_stuck(tasks, config)) if any(t["reply"] for t in tasks) else []
    if stuck:
        return _signal(tasks, *stuck[0], stuck, "medium", "the answer is the same again", config)
    often = next(_often(tasks, config), None)
    if often is not None:
        return _signal(tasks, *often, [often], "medium", "it was asked for many times", config)
    alike = [(a, b) for a, b in pairwise(tasks) if a["end_time"] <= b["start_time"] and _is_alike(b["request"], a["request"], config)]
    return _signal(tasks, *alike[0], alike, "low", "asked in a row, the answers differ", config) if alike else None


def _stuck(tasks: list[Task], config: Config) -> Iterator[tuple[Task, Task]]:
    """Tasks that were asked before and brought the same answer, each with the earlier one."""
    for i, task in enumerate(tasks):
        for earlier in _over(tasks[:i], task):
            alike = jaccard(task["words"], earlier["words"]) >= config.same_task
            if alike and not is_about_another(task["request"], earlier["request"]) and _same(task, earlier, config.same_answer):
                yield earlier, task
                break


def _over(earlier: list[Task], task: Task) -> list[Task]:
    """Those that had ended before this one began: what goes on at the same time is no second attempt."""
    return [t for t in earlier if t["end_time"] <= task["start_time"]]


def _same(task: Task, earlier: Task, share: float) -> bool:
    one, other = words(task["reply"]), words(earlier["reply"])
    if not one and not other:
        return True
    if min(len(one), len(other)) < _SHORT:
        return one == other and words(task["request"]) == words(earlier["request"])
    answers: tuple[Grams, Grams] = task["answer"], earlier["answer"]
    return jaccard(*answers) >= share


def _often(tasks: list[Task], config: Config) -> Iterator[tuple[Task, Task]]:
    """A task that as many earlier ones as are too many asked for too, with the first of these."""
    is_told = any(t["reply"] for t in tasks)
    for i, task in enumerate(tasks):
        if is_told:
            same = [t for t in _over(tasks[:i], task) if _is_kept(task["request"], t["request"], config)]
        else:
            same = [t for t in _over(tasks[:i], task) if words(t["request"]) == words(task["request"])]
        if len(same) + 1 >= (config.many if is_told else config.many_unanswered):
            yield same[0], task


def _is_alike(request: str, earlier: str, config: Config) -> bool:
    alike = jaccard(grams(request, 4), grams(earlier, 4)) >= config.alike_task
    return alike and not is_about_another(request, earlier)


def _is_kept(request: str, earlier: str, config: Config) -> bool:
    alike = jaccard(grams(request, 1), grams(earlier, 1)) >= config.alike_task
    return alike and kept(request, earlier) >= config.kept_task and not is_about_another(request, earlier)


def _signal(
    tasks: list[Task], first: Task, task: Task, repeated: list[tuple[Task, Task]], severity: str, why: str, config: Config
) -> Signal:
    again = [t for _, t in repeated]
    who = f"{task['delegator_name']} -> {task['delegate_name']}"
    alike = jaccard(task["words"], first["words"])
    answers = jaccard(task["answer"], first["answer"])
    evidence = [
        Evidence(first["trace_id"], first["span_id"], "context: asked first", f"{who}: {first['request'][:200]}"),
        Evidence(task["trace_id"], task["span_id"], "asked again", f"{why}: {task['request'][:200]}"),
        *(Evidence(t["trace_id"], t["span_id"], "context: asked again later", t["request"][:200]) for t in again[1:]),
    ]
    costs = [t["cost_usd"] for t in again if t["cost_usd"] is not None]
    return Signal(
        rule="D1c'",
        severity=severity,
        confidence=0.4 if severity == "low" else 0.85 if task["reply"] else 0.7,
        title=f"The same task again: {who}",
        subject_id=task["delegator_id"],
        subject_name=task["delegator_name"] or "",
        scope=(task["delegate_id"],),
        trace_id=task["trace_id"],
        span_id=task["span_id"],
        at=task["start_time"],
        evidence=tuple(evidence[:EVIDENCE_LIMIT]),
        baseline={
            "level": "pair of agents in one trace",
            "n": len(tasks),
            "observed": f"{alike:.0%} of the words of the task, {answers:.0%} of the answer",
            "expected": "another task, or another answer",
            "threshold": f"task from {config.same_task:.0%}, answer from {config.same_answer:.0%}; {config.many} times whatever the answer",
            "repetitions": len(again),
        },
        counterfactual=f"silent without the run {task['span_id']} and those after it, or had its answer or its task been new",
        edits=tuple(Edit(t["trace_id"], t["span_id"]) for t in tasks[tasks.index(task) :]),
        impact={"cost_usd": sum(costs) if costs else None, "repetitions": len(again), "what": "runs that repeated a task"},
        basis=weakest("inferred", task["basis"]),
        caveats=() if any(t["reply"] for t in tasks) else ("the answers are not recorded",),
    )


DETECTOR = Detector(
    id="delegation_repeated",
    family="delegation",
    title="The same task again",
    version=1,
    needs={
        "tasks": (
            "trace_id", "span_id", "delegator_id", "delegator_name", "delegate_id", "delegate_name", "basis", "start_time",
            "end_time", "cost_usd", "request", "reply",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Compare the two answers; tell the orchestrator what to do when an answer brings nothing new.",
)  # fmt: skip
