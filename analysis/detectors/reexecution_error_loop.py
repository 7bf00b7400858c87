"""The same call fails again and again.

**What it finds.** A tool that fails in the same way several turns in a row within one run (X3). A turn ends with an answer
of the model: it saw the failure and tried the same again. Calls that one answer asked for together count once. A failure is
*blind* when the call was the same, or nearly the same with the same error text. Where agents act through code that they write,
the steps that run it are the calls.

**Why it matters.** Each try sends the whole context again. On human labels of wasted resources (TRAIL, GAIA) a blind failure
repeated is the most precise sign there is.

**Evidence and basis.** The failures after the first accuse, up to the one that tipped it. The basis is derived from the
recorded errors. What was wasted is the tokens of the model calls from the first failure to the last: from `wasted_tokens` on it
is medium.

**What it cannot know.** Whether a person watched and wanted the tries, and errors that a tool reports as a normal result.

**False positives.** Searches that find nothing and say so with an error, each with another query: these are not blind, and
weigh little unless they go on. A write that failed and is tried once more is low, whatever it costs.

**Next step.** Read the error text and fix the tool's description or its input; tell the agent to stop after the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames
from actorscope.analysis.finding import Edit, Evidence, Signal
from actorscope.analysis.turns import by_run, contained, repeated, tipping, without

_FEWEST_WORDS = 5
Streak = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Config:
    """Thresholds of the error loop."""

    streak: int = 3
    """Failures in a row from which it is told at all; two are enough where the second was blind."""
    long_streak: int = 5
    """Failures in a row that are medium, whatever they cost."""
    wasted_tokens: int = 5000
    """Tokens spent between the first and the last failure from which it is medium."""
    alike: float = 0.5
    """Share of the words of the shorter one of two calls with the same error text that makes them nearly the same."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per streak of failures."""
    code = frames["code_steps"].with_columns(pl.lit("its own code").alias("tool_name"))
    return [signal for steps in (frames["actions"], code) for signal in _loops(steps, config)]


def _loops(actions: pl.DataFrame, config: Config) -> list[Signal]:
    actions = actions.filter("is_settled", pl.col("tool_name").is_not_null()).unique(["trace_id", "span_id"])
    failed = pl.col("is_error").sum().over("trace_id", "run_span_id", "tool_name")
    candidates = actions.filter(failed >= 2).select("trace_id", "run_span_id").unique()
    actions = actions.join(candidates, on=["trace_id", "run_span_id"], how="semi", nulls_equal=True)
    signals = []
    for run in by_run(actions):
        for streak in _streaks(run):
            signal = _judge(streak, config)
            if signal is not None:
                signals.append(signal)
    return signals


def _streaks(run: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Failures of one tool with one kind of error that nothing else interrupts, the first of each turn."""
    streaks: list[list[dict[str, Any]]] = []
    latest: dict[str, Any] | None = None
    for action in run:
        goes_on = latest is not None and action["is_error"] and _kind(action) == _kind(latest)
        if not action["is_error"]:
            latest = None
            continue
        if latest is None or not goes_on:
            streaks.append([action])
        elif action["turn"] != latest["turn"] or (action["signature"] or "") == latest["signature"]:
            streaks[-1].append(action)
        latest = action
    return streaks


def _kind(action: dict[str, Any]) -> tuple[str, str]:
    return action["tool_name"], action["error_type"] or ""


def _is_blind(action: dict[str, Any], before: dict[str, Any], config: Config) -> bool:
    if action["signature"] is not None and action["signature"] == before["signature"]:
        return True
    text = action["status_message"]
    shorter = min(len(action["argument_words"]), len(before["argument_words"]))
    return (
        bool(text)
        and text == before["status_message"]
        and shorter >= _FEWEST_WORDS
        and contained(action["argument_words"], before["argument_words"]) >= config.alike
    )


def _blind(streak: Streak, config: Config) -> int:
    return sum(_is_blind(b, a, config) for a, b in pairwise(streak))


def _severity(streak: Streak, config: Config) -> str | None:
    n = len(streak)
    if n < config.streak and not _blind(streak, config):
        return None
    wasted = streak[-1]["spent_tokens"] - streak[0]["spent_tokens"]
    # To try a write that failed once more is how things get done, whatever was said in between.
    is_retry = n < config.streak and streak[-1]["side_effect"] in WRITES
    return "medium" if n >= config.long_streak or (wasted >= config.wasted_tokens and not is_retry) else "low"


def _judge(streak: Streak, config: Config) -> Signal | None:
    severity = _severity(streak, config)
    if severity is None:
        return None
    n, blind, first, last = len(streak), _blind(streak, config), streak[0], streak[-1]
    tip = tipping(streak, lambda beginning: _severity(beginning, config))
    wasted = last["spent_tokens"] - first["spent_tokens"]
    # What fell below every threshold if these had not been done.
    kept = 1 if blind else config.streak - 1
    surplus = tuple(Edit(action["trace_id"], action["span_id"]) for action in streak[kept:])
    error = first["error_type"] or "an error"
    return Signal(
        rule="X3",
        severity=severity,
        confidence=0.9 if blind else 0.7,
        title=f"{first['actor_name'] or 'An agent'} called {first['tool_name']} {n} times in a row and got {error}",
        subject_id=first["actor_id"] or "unknown",
        subject_name=first["actor_name"] or "",
        scope=("error loop", first["tool_name"], first["error_type"] or "", first["cause_id"] or first["trace_id"]),
        trace_id=first["trace_id"],
        span_id=tip["span_id"],
        at=tip["start_time"],
        evidence=_evidence(streak, tip),
        baseline={
            "level": "run",
            "expected": f"fewer than {config.streak} in a row, none of them blind",
            "observed": n,
            "blind": blind,
            "wasted_tokens": wasted,
            "threshold": {"streak": config.streak, "long_streak": config.long_streak, "wasted_tokens": config.wasted_tokens},
            "cause_class": "self",
        },
        counterfactual=f"{without(surplus)}, or had they succeeded",
        edits=surplus,
        impact={"wasted_calls": n - 1, "wasted_tokens": wasted, "cost_usd": sum(a["cost_usd"] or 0.0 for a in streak[1:])},
        basis="derived",
        caveats=() if last["spent_tokens"] else ("the run reports no tokens: what the loop cost is not known",),
    )


def _evidence(streak: Streak, tip: dict[str, Any]) -> tuple[Evidence, ...]:
    first = streak[0]
    text = (first["status_message"] or first["error_type"] or "failed")[:200]
    return (
        Evidence(first["trace_id"], first["span_id"], "context: first failure", text),
        *repeated(first, streak[1:], tip, "failed again", "in the same way"),
    )


_NEEDS = (
    "trace_id", "span_id", "run_span_id", "actor_id", "actor_name", "tool_name", "signature", "is_error", "error_type",
    "status_message", "argument_words", "turn", "turn_span_id", "answer_span_id", "spent_tokens", "cause_id", "cost_usd", "is_settled",
    "start_time", "side_effect",
)  # fmt: skip
DETECTOR = Detector(
    id="reexecution_error_loop",
    family="reexecution",
    title="Error loop",
    version=1,
    needs={"actions": _NEEDS, "code_steps": _NEEDS},
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Read the error and fix the tool's description or its input; let the agent give up after the second failure.",
)
