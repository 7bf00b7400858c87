"""Where in its run a step stands: after how many model calls, what those cost in tokens, and which call saw what came of it.

Two equal calls of one turn were asked for together; in two turns the model saw what came of the first and asked again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence

_MOST_WORDS = 32
_PLACE = ("turn", "turn_span_id", "spent_tokens")
_SHOWN = 8


def turns(steps: pl.DataFrame) -> pl.DataFrame:
    """Adds `turn`, the number of counted model calls of its run that began before a step, `turn_span_id`, the latest of these,
    `spent_tokens`, what they took, and `answer_span_id`, the first one that began after the step had ended.

    In a run that reports no model calls every step is a turn of its own.
    """
    run, order = ["trace_id", "run_span_id"], ["start_time", "span_id"]
    tokens = pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0)
    spent = pl.when("is_counted").then(tokens.cast(pl.Int64)).otherwise(0).cum_sum().over(run, order_by=order)
    calls = pl.col("is_counted").fill_null(False).cast(pl.Int64)
    place = pl.int_range(pl.len()).over(run, order_by=order)
    turn = pl.when(calls.sum().over(run) > 0).then(calls.cum_sum().over(run, order_by=order)).otherwise(place)
    call = pl.when("is_counted").then("span_id").forward_fill().over(run, order_by=order)
    return _answered(steps.with_columns(turn.alias("turn"), call.alias("turn_span_id"), spent.alias("spent_tokens")))


def _answered(steps: pl.DataFrame) -> pl.DataFrame:
    run = ["trace_id", "run_span_id"]
    calls = steps.filter("is_counted", pl.col("run_span_id").is_not_null()).sort("start_time", "span_id")
    calls = calls.select(*run, pl.col("start_time").alias("answered_at"), pl.col("span_id").alias("answer_span_id"))
    ended = steps.select(*run, "span_id", "end_time").filter(pl.col("run_span_id").is_not_null()).sort("end_time", "span_id")
    found = ended.join_asof(
        calls, left_on="end_time", right_on="answered_at", by=run, strategy="forward", check_sortedness=False
    ).select("trace_id", "span_id", "answer_span_id")
    return steps.join(found, on=["trace_id", "span_id"], how="left", maintain_order="left")


def code_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps of runs in which no tool failed: they stand for code that the agent wrote and ran."""
    run = ["trace_id", "run_span_id"]
    failed = steps.filter(pl.col("role") == "action", "is_error").select(run).unique()
    return inner_steps(steps).join(failed, on=run, how="anti")


def inner_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps of runs; where the answer that led to what is done in it is given inside the step, it belongs to that turn."""
    own = steps.filter(pl.col("operation") == "step", pl.col("run_span_id").is_not_null())
    calls = steps.filter("is_counted").sort("start_time", "span_id")
    inner = calls.group_by("trace_id", pl.col("parent_span_id").alias("span_id"), maintain_order=True).agg(
        pl.col(_PLACE).last().name.suffix("_inner")
    )
    own = own.join(inner, on=["trace_id", "span_id"], how="left")
    return own.with_columns(pl.coalesce(f"{c}_inner", c).alias(c) for c in _PLACE).drop(f"{c}_inner" for c in _PLACE)


def sketched() -> tuple[pl.Expr, ...]:
    """What `queries/trace_spans.sql` computes of the texts of a call: digests that serve to compare, within one frame only."""
    is_call = pl.col("operation") == "execute_tool"
    words = pl.col("arguments").str.to_lowercase().str.replace_all(r'"[^"]*"\s*:', " ").str.extract_all(r"\p{L}+")
    words = words.list.eval(pl.element().hash()).list.unique().list.sort().list.head(_MOST_WORDS)
    paged = r'(?i)"(?:\w*_)?(?:cursor|page|offset|skip|continuation|next)(?:_?[a-z]+)?"\s*:'
    return (
        pl.when(pl.col("result") != "").then(pl.col("result").hash()).alias("result_digest"),
        pl.when(is_call).then(words).otherwise([]).fill_null([]).alias("argument_words"),
        (is_call & pl.col("arguments").str.contains(paged)).fill_null(False).alias("is_paged"),
    )


def by_run(actions: pl.DataFrame) -> list[list[dict[str, Any]]]:
    """The actions of each run in their order."""
    ordered = actions.sort("trace_id", "run_span_id", "start_time", "span_id")
    return [group.to_dicts() for group in ordered.partition_by("trace_id", "run_span_id", maintain_order=True)]


def alike(one: list[int], other: list[int]) -> float:
    """Jaccard similarity of two texts from the sketches of their words: exact up to 32 words, else estimated."""
    a, b = set(one), set(other)
    union = sorted(a | b)[:_MOST_WORDS]
    return sum(word in a and word in b for word in union) / len(union) if union else 0.0


def contained(one: list[int], other: list[int]) -> float:
    """Share of the words of the shorter text that the longer one has too."""
    a, b = set(one), set(other)
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def shown(again: Sequence[dict[str, Any]], tip: dict[str, Any], most: int = _SHOWN) -> list[dict[str, Any]]:
    """Of many repetitions the first two, `tip` and the last ones, `most` in all."""
    if len(again) <= most:
        return list(again)
    ends = [*again[:2], *again[3 - most :]]
    kept = {step["span_id"] for step in (tip, *ends)}
    return [step for step in again if step["span_id"] in kept]


def tipping(streak: Sequence[dict[str, Any]], severity: Callable[[Sequence[dict[str, Any]]], str | None]) -> dict[str, Any]:
    """The step with which a streak became as grave as it is; with those that follow it only went on.

    `severity` of a beginning of the streak must never fall as that gets longer.
    """
    whole = severity(streak)
    return streak[bisect_left(range(1, len(streak) + 1), True, key=lambda n: severity(streak[:n]) == whole)]


def repeated(
    first: dict[str, Any], again: Sequence[dict[str, Any]], tip: dict[str, Any], role: str, why: str, room: int = EVIDENCE_LIMIT - 1
) -> tuple[Evidence, ...]:
    """Repetitions of `first` as evidence, each with the answers of the model that led to it, and how it went on.

    Those up to `tip` accuse. Between two repetitions the model may have answered more than once, for it plans, or sums up what
    it knows: what it said first after the one before is named too, as far as there is room.
    """
    known = shown(again, tip, min(_SHOWN, (room - 1) // 2))
    before = {action["span_id"]: earlier for earlier, action in pairwise([first, *again])}
    spare = room - 1 - 2 * len(known)
    evidence: dict[str, Evidence] = {}

    def tell(span_id: str | None, role: str, why: str) -> None:
        if span_id and span_id not in evidence:
            evidence[span_id] = Evidence(first["trace_id"], span_id, role, why)

    for action in known:
        earlier, asked = before[action["span_id"]], action["turn_span_id"]
        after = "context: " if _place(action) > _place(tip) else ""
        if earlier["turn"] != action["turn"] and earlier["answer_span_id"] != asked and spare > 0:
            tell(earlier["answer_span_id"], f"{after}model answered", "what it made of the one before")
            spare -= 1
        tell(asked, f"{after}model asked again", f"its answer, turn {action['turn']} of the run")
        tell(action["span_id"], f"{after}{role}", why)
    for last in again[-1:]:
        tell(last["answer_span_id"], "context: how it went on", "the answer to the last one")
    return tuple(evidence.values())


def _place(step: dict[str, Any]) -> tuple[Any, str]:
    return step["start_time"], step["span_id"]


def without(surplus: Sequence[Edit]) -> str:
    """Says that nothing would have been told without these spans."""
    shown, more = ", ".join(edit.span_id for edit in surplus[:_SHOWN]), len(surplus) - _SHOWN
    return f"silent without {shown}" + (f" and {more} more" if more > 0 else "")
