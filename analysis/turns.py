"""Where in its run a step stands: after how many model calls, and what those cost in tokens.

Two equal calls of one turn were asked for together; in two turns the model saw what came of the first and asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from actorscope.analysis.finding import Edit, Evidence

_MOST_WORDS = 32
_SHOWN = 8


def turns(steps: pl.DataFrame) -> pl.DataFrame:
    """Adds `turn`, the number of counted model calls of its run that began before a step, `turn_span_id`, the latest of these,
    and `spent_tokens`, what they took.

    In a run that reports no model calls every step is a turn of its own.
    """
    run, order = ["trace_id", "run_span_id"], ["start_time", "span_id"]
    tokens = pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0)
    spent = pl.when("is_counted").then(tokens.cast(pl.Int64)).otherwise(0).cum_sum().over(run, order_by=order)
    calls = pl.col("is_counted").fill_null(False).cast(pl.Int64)
    place = pl.int_range(pl.len()).over(run, order_by=order)
    turn = pl.when(calls.sum().over(run) > 0).then(calls.cum_sum().over(run, order_by=order)).otherwise(place)
    call = pl.when("is_counted").then("span_id").forward_fill().over(run, order_by=order)
    return steps.with_columns(turn.alias("turn"), call.alias("turn_span_id"), spent.alias("spent_tokens"))


def code_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps of runs in which no tool failed: they stand for code that the agent wrote and ran.

    Where the answer with the code is given inside the step, the step belongs to that turn.
    """
    run = ["trace_id", "run_span_id"]
    failed = steps.filter(pl.col("role") == "action", "is_error").select(run).unique()
    own = steps.filter(pl.col("operation") == "step", pl.col("run_span_id").is_not_null())
    calls = steps.filter("is_counted").sort("start_time", "span_id")
    inner = calls.group_by("trace_id", pl.col("parent_span_id").alias("span_id"), maintain_order=True).agg(
        pl.col("turn", "turn_span_id", "spent_tokens").last().name.suffix("_inner")
    )
    own = own.join(failed, on=run, how="anti").join(inner, on=["trace_id", "span_id"], how="left")
    told = [pl.coalesce(f"{c}_inner", c).alias(c) for c in ("turn", "turn_span_id", "spent_tokens")]
    return own.with_columns(told).drop("turn_inner", "turn_span_id_inner", "spent_tokens_inner")


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


def shown(again: list[dict[str, Any]], most: int = _SHOWN) -> list[dict[str, Any]]:
    """Of many repetitions the first two and the last ones, `most` in all."""
    return again if len(again) <= most else [*again[:2], *again[2 - most :]]


def asked_again(action: dict[str, Any], role: str, why: str) -> tuple[Evidence, ...]:
    """A repeated action as evidence, with the answer of the model that asked for it."""
    asked = action["turn_span_id"]
    evidence = Evidence(action["trace_id"], action["span_id"], role, why)
    if not asked:
        return (evidence,)
    return Evidence(action["trace_id"], asked, "model asked again", f"its answer, turn {action['turn']} of the run"), evidence


def without(surplus: Sequence[Edit]) -> str:
    """Says that nothing would have been told without these spans."""
    shown, more = ", ".join(edit.span_id for edit in surplus[:_SHOWN]), len(surplus) - _SHOWN
    return f"silent without {shown}" + (f" and {more} more" if more > 0 else "")
