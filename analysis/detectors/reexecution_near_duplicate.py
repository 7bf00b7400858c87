"""The same question in other words, again and again.

**What it finds.** Calls of one tool in a row whose arguments differ only in wording, each asked for after the answer to the one
before was seen (X4). Compared are the sets of words of the arguments, kept as sketches; keys, numbers and ids do not count, so
that an enumeration and the pages of a list are no near duplicates.

**Why it matters.** An agent that does not like an answer asks for it again, and each time sends the whole context.

**Evidence and basis.** The calls after the first accuse, up to the one that tipped it. Similarity is inferred from words.

**What it cannot know.** Arguments that were not recorded, and work that hides in code which the agent writes.

**False positives.** Research that narrows a query down step by step. It is low, and medium only when it costs `wasted_tokens`.
Calls that all fail in the same way are left to the *error loop*.

**Next step.** Give the agent the answer in a form that it accepts, or a limit on searches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames
from actorscope.analysis.finding import Edit, Evidence, Signal
from actorscope.analysis.turns import alike, by_run, contained, repeated, tipping, without


@dataclass(frozen=True)
class Config:
    """Thresholds of the near duplicates."""

    calls: int = 3
    """Near-equal calls in a row from which it is told."""
    alike: float = 0.5
    """Share of words that two calls have in common to be near duplicates."""
    contained: float = 0.8
    """Share of the words of the shorter one that the longer one has, from which they are near duplicates as well."""
    fewest_words: int = 5
    """Arguments with fewer words say too little to be compared."""
    window: int = 6
    """How many calls back a near duplicate may lie."""
    wasted_tokens: int = 5000
    """Tokens spent from the first to the last call from which it is medium."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per streak of near duplicates."""
    actions = frames["actions"].filter("is_settled", pl.col("tool_name").is_not_null()).unique(["trace_id", "span_id"])
    wordy = pl.col("argument_words").list.len() >= config.fewest_words
    many = wordy.sum().over("trace_id", "run_span_id", "tool_name") >= config.calls
    candidates = actions.filter(many).select("trace_id", "run_span_id").unique()
    actions = actions.join(candidates, on=["trace_id", "run_span_id"], how="semi", nulls_equal=True)
    streaks = (streak for run in by_run(actions) for streak in _streaks(run, config))
    return [_signal(streak, config) for streak in streaks if len(streak) >= config.calls and not _is_error_loop(streak)]


def _is_error_loop(streak: list[dict[str, Any]]) -> bool:
    """All failed in the same way: the error loop tells it."""
    return all(action["is_error"] for action in streak) and len({action["error_type"] for action in streak}) == 1


def _streaks(run: list[dict[str, Any]], config: Config) -> list[list[dict[str, Any]]]:
    """Calls of one tool without another tool between them, each alike an earlier one of the streak in another turn."""
    streaks: list[list[dict[str, Any]]] = []
    for action in run:
        streak = streaks[-1] if streaks else []
        is_write = action["side_effect"] in WRITES and not action["is_error"]
        if streak and streak[-1]["tool_name"] == action["tool_name"] and not is_write:
            if any(_is_near(action, before, config) for before in streak[-config.window :]):
                streak.append(action)
                continue
            if action["turn"] == streak[-1]["turn"]:
                continue  # asked for together with the one before: neither goes on nor ends it
        streaks.append([action])
    return streaks


def _is_near(action: dict[str, Any], before: dict[str, Any], config: Config) -> bool:
    one, other = action["argument_words"], before["argument_words"]
    if action["turn"] == before["turn"] or min(len(one), len(other)) < config.fewest_words:
        return False
    # Words that are all the same: an enumeration, where numbers differ, or a repetition, which other rules judge.
    if action["is_paged"] or set(one) == set(other) and not action["is_error"]:
        return False
    return alike(one, other) >= config.alike or contained(one, other) >= config.contained


def _severity(streak: Sequence[dict[str, Any]], config: Config) -> str | None:
    wasted = streak[-1]["spent_tokens"] - streak[0]["spent_tokens"]
    return None if len(streak) < config.calls else "medium" if wasted >= config.wasted_tokens else "low"


def _signal(streak: list[dict[str, Any]], config: Config) -> Signal:
    first, last, n = streak[0], streak[-1], len(streak)
    surplus = tuple(Edit(action["trace_id"], action["span_id"]) for action in streak[config.calls - 1 :])
    tip = tipping(streak, lambda beginning: _severity(beginning, config))
    wasted = last["spent_tokens"] - first["spent_tokens"]
    return Signal(
        rule="X4",
        severity=_severity(streak, config) or "low",
        confidence=0.6,
        title=f"{first['actor_name'] or 'An agent'} asked {first['tool_name']} nearly the same {n} times in a row",
        subject_id=first["actor_id"] or "unknown",
        subject_name=first["actor_name"] or "",
        scope=("near duplicate", first["tool_name"], first["cause_id"] or first["trace_id"]),
        trace_id=first["trace_id"],
        span_id=tip["span_id"],
        at=tip["start_time"],
        evidence=(
            Evidence(first["trace_id"], first["span_id"], "context: first call", "its arguments, in the words of then"),
            *repeated(first, streak[1:], tip, "repeated in other words", "words in common with the calls before"),
        ),
        baseline={
            "level": "run",
            "expected": f"fewer than {config.calls} near duplicates in a row",
            "observed": n,
            "wasted_tokens": wasted,
            "threshold": {"calls": config.calls, "alike": config.alike, "wasted_tokens": config.wasted_tokens},
            "cause_class": "self",
        },
        counterfactual=without(surplus),
        edits=surplus,
        impact={"wasted_calls": n - 1, "wasted_tokens": wasted, "cost_usd": sum(a["cost_usd"] or 0.0 for a in streak[1:])},
        basis="inferred",
        caveats=("similar words are no proof: the agent may have narrowed its search down",),
    )


DETECTOR = Detector(
    id="reexecution_near_duplicate",
    family="reexecution",
    title="Near-duplicate loop",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "run_span_id", "actor_id", "actor_name", "tool_name", "signature", "side_effect", "is_error",
            "error_type", "argument_words", "is_paged", "turn", "turn_span_id", "answer_span_id", "spent_tokens", "cause_id",
            "cost_usd", "is_settled", "start_time",
        ),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Give the agent the answer in a form that it accepts, or a limit on how often it may ask.",
)  # fmt: skip
