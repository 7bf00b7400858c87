"""Code that an agent writes and runs again, and that tells it nothing.

**What it finds.** Several steps in a row in which an agent ran code of its own whose output told nothing new (X8): every word of it
was in the request, in what the model had said, that code included, or in an earlier output. A search that finds nothing prints
only its own labels; a file that is read once more prints what was there before. The code must be about the same: its answer shares
most of its words with one of the last steps.

**Why it matters.** Where agents act through code no two actions are equal, and rules that compare actions see no loop. What
gives it away is the output: each try sends the whole context again and brings nothing.

**Evidence and basis.** The steps after the first accuse, up to the one that tipped it, with the answers that led to them. That
nothing was new is inferred from sets of words. What was wasted is the tokens of the model calls from the first to the last:
from `wasted_tokens` on it is medium.

**What it cannot know.** Code whose output or whose text is not recorded, and what code did without saying so: a step that prints
nothing, one that calls a tool or an agent, and code in which a write is seen (to a file, a process, a request that posts) do not
count. Of each text the first 64 KiB are compared.

**False positives.** Code that computes and prints only words that were there before, such as a check that says *true* each time.
A text that the code itself holds and prints, a draft or a note, may be work and ends the streak.

**Next step.** Give the agent a tool for what it tries to do, or the structure of its data; let it stop after the second empty output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import Detector, Frames
from actorscope.analysis.finding import Edit, Evidence, Signal
from actorscope.analysis.turns import by_run, contained, repeated, tipping, without


@dataclass(frozen=True)
class Config:
    """Thresholds of the fruitless code."""

    steps: int = 3
    """Steps in a row without news from which it is told."""
    new_words: int = 2
    """New words that an output may have and still tells nothing."""
    alike: float = 0.5
    """Share of the words of the shorter one of two answers in the other from which their code is about the same."""
    window: int = 6
    """How many steps of the streak back the one may lie that it is like."""
    text_words: int = 30
    """Words from which an output that the answer itself holds is a text of the agent's own."""
    text: float = 0.9
    """Share of the words of such an output that the answer holds."""
    wasted_tokens: int = 5000
    """Tokens spent from the first to the last step from which it is medium."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per streak of steps without news."""
    outputs = frames["code_outputs"].filter("is_settled").unique(["trace_id", "span_id"])
    idle = (pl.col("is_plain") & (pl.col("new_words") <= config.new_words)).sum().over("trace_id", "run_span_id")
    outputs = outputs.filter(idle >= config.steps)
    streaks = (streak for run in by_run(outputs) for streak in _streaks(run, config))
    return [_signal(streak, config) for streak in streaks if len(streak) >= config.steps]


def _streaks(run: list[dict[str, Any]], config: Config) -> list[list[dict[str, Any]]]:
    """Steps without news that no step with any interrupts; those that put out nothing, or failed, neither go on nor end it."""
    streaks: list[list[dict[str, Any]]] = [[]]
    for step in run:
        if not step["own_words"] and step["is_plain"]:
            continue
        if not _is_idle(step, config):
            streaks.append([])
        elif streaks[-1] and not any(_is_like(step, before, config) for before in streaks[-1][-config.window :]):
            streaks.append([step])
        else:
            streaks[-1].append(step)
    return streaks


def _is_idle(step: dict[str, Any], config: Config) -> bool:
    is_text = step["own_words"] >= config.text_words and step["echoed_words"] >= config.text * step["own_words"]
    # What the model gave no answer to was the last thing it did.
    return step["is_plain"] and step["new_words"] <= config.new_words and not is_text and step["answer_span_id"] is not None


def _is_like(step: dict[str, Any], before: dict[str, Any], config: Config) -> bool:
    return contained(step["said"], before["said"]) >= config.alike


def _severity(streak: Sequence[dict[str, Any]], config: Config) -> str | None:
    wasted = streak[-1]["spent_tokens"] - streak[0]["spent_tokens"]
    return None if len(streak) < config.steps else "medium" if wasted >= config.wasted_tokens else "low"


def _signal(streak: list[dict[str, Any]], config: Config) -> Signal:
    first, last, n = streak[0], streak[-1], len(streak)
    surplus = tuple(Edit(step["trace_id"], step["span_id"]) for step in streak[config.steps - 1 :])
    tip = tipping(streak, lambda beginning: _severity(beginning, config))
    wasted = last["spent_tokens"] - first["spent_tokens"]
    return Signal(
        rule="X8",
        severity=_severity(streak, config) or "low",
        confidence=0.6,
        title=f"{first['actor_name'] or 'An agent'} ran code {n} times in a row that told it nothing new",
        subject_id=first["actor_id"] or "unknown",
        subject_name=first["actor_name"] or "",
        scope=("fruitless code", first["cause_id"] or first["trace_id"]),
        trace_id=first["trace_id"],
        span_id=tip["span_id"],
        at=tip["start_time"],
        evidence=(
            Evidence(first["trace_id"], first["span_id"], "context: first try", "its output told nothing new"),
            *repeated(first, streak[1:], tip, "told nothing again", "its output has no words that were not there before"),
        ),
        baseline={
            "level": "run",
            "expected": f"fewer than {config.steps} outputs in a row with at most {config.new_words} new words",
            "observed": n,
            "new_words": [step["new_words"] for step in streak],
            "wasted_tokens": wasted,
            "threshold": {"steps": config.steps, "new_words": config.new_words, "wasted_tokens": config.wasted_tokens},
            "cause_class": "self",
        },
        counterfactual=f"{without(surplus)}, or had their outputs told something",
        edits=surplus,
        impact={"wasted_calls": n - 1, "wasted_tokens": wasted, "cost_usd": sum(s["cost_usd"] or 0.0 for s in streak[1:])},
        basis="inferred",
        caveats=("that nothing was new is inferred from words: a known word may have been the answer",),
    )


DETECTOR = Detector(
    id="reexecution_fruitless_code",
    family="reexecution",
    title="Fruitless code",
    version=1,
    needs={
        "code_outputs": (
            "trace_id", "span_id", "run_span_id", "actor_id", "actor_name", "new_words", "own_words", "echoed_words",
            "is_plain", "said", "turn", "turn_span_id", "answer_span_id", "spent_tokens", "cause_id", "cost_usd", "is_settled",
            "start_time",
        ),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Give the agent a tool for what it tries to do, or let it stop after the second output that told nothing.",
)  # fmt: skip
