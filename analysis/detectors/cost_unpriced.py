"""Money that no budget sees: model calls without a price, and cost that belongs to nobody.

**What it finds.** Model calls that took tokens and have no cost, because the span states none and the price list does not
know the model: 50,000 and more of an agent and model in a trace, told in the first such trace of a day. And cost of spans
for which neither an agent nor anybody who started the work is known.

**Why it matters.** Budgets, burn rates and outliers count what has a price and an owner. What has none is missing in all.

**Evidence and basis.** The calls themselves, one finding per agent and model, or per service. Derived.

**What it cannot know.** Whether the model costs anything: one that runs at home has no price.

**False positives.** Models of one's own; state their cost with `actorscope.cost.amount`, 0 where it is nothing.

**Next step.** State the cost on the span, name the model as its provider does, or name the agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal

_TOKENS = pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0)


@dataclass(frozen=True)
class Config:
    """Thresholds of spend that no budget sees."""

    min_usd: float = 0.10
    """Cost of a trace that belongs to nobody from which it is told."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per day, agent and model without a price, and per trace and service whose cost belongs to nobody."""
    calls = frames["unpriced"].unique(["trace_id", "span_id"]).with_columns(_TOKENS.alias("amount"), pl.col("actor_id").fill_null(""))
    costs = frames["costs"].filter(pl.col("actor_kind").is_null() | pl.col("actor_kind").eq("service"))
    costs = costs.filter(pl.col("starter_type").is_null() | pl.col("starter_type").eq("service")).unique(["trace_id", "span_id"])
    costs = costs.with_columns(pl.col("cost_usd").alias("amount"), pl.col("service_name").fill_null(""))
    signals = [_unpriced(group) for group in _groups(calls, ["actor_id", "model"], 1)]
    return signals + [_nobody(group) for group in _groups(costs, ["service_name"], config.min_usd)]


def _groups(spans: pl.DataFrame, by: list[str], least: float) -> list[list[dict[str, Any]]]:
    key = ["trace_id", *by]
    large = spans.filter(pl.col("amount").sum().over(key) >= least).sort("start_time", "span_id")
    return [rows(group) for group in large.partition_by(key, maintain_order=True)]


def _unpriced(calls: list[dict[str, Any]]) -> Signal:
    first, tokens = calls[0], sum(call["amount"] for call in calls)
    who, model = first["actor_name"] or first["actor_id"] or "Somebody", first["model"] or "a model without a name"
    return _signal(
        calls, who, ("unpriced", first["model"] or ""), f"{who} used {tokens:,} tokens of {model}, which has no price",
        "no price is known", "silent if the calls stated what they cost",
        {"cost_usd": None, "tokens": tokens}, tuple(Edit(c["trace_id"], c["span_id"], "cost_amount", 0.0) for c in calls),
    )  # fmt: skip


def _nobody(costs: list[dict[str, Any]]) -> Signal:
    first, usd = costs[0], sum(cost["amount"] for cost in costs)
    who = first["service_name"] or "an unknown service"
    return _signal(
        costs, who, ("nobody",), f"${usd:.4g} of {who} belongs to no agent and to nobody who started it",
        "cost without an agent", "silent if the spans named the agent or the user",
        {"cost_usd": usd}, tuple(Edit(c["trace_id"], c["span_id"], "user_id", "somebody") for c in costs),
    )  # fmt: skip


def _signal(
    spans: list[dict[str, Any]], who: str, scope: tuple[str, ...], title: str, role: str, counterfactual: str, impact: dict[str, Any],
    edits: tuple[Edit, ...],
) -> Signal:  # fmt: skip
    first = spans[0]
    return Signal(
        rule="C7",
        severity="info",
        confidence=0.95,
        title=title,
        subject_id=first["actor_id"] or who,
        subject_name=who,
        scope=scope,
        trace_id=first["trace_id"],
        span_id=first["span_id"],
        at=first["start_time"],
        evidence=tuple(Evidence(s["trace_id"], s["span_id"], role, s["name"]) for s in spans[:5]),
        baseline={"level": "trace", "observed": len(spans), "expected": "a price and an owner for each"},
        counterfactual=counterfactual,
        impact=impact,
        basis="derived",
        edits=edits,
    )


DETECTOR = Detector(
    id="cost_unpriced",
    family="cost",
    title="Spend that no budget sees",
    version=1,
    needs={
        "unpriced": (
            "trace_id", "span_id", "name", "actor_id", "actor_name", "model", "input_tokens", "output_tokens", "start_time",
        ),
        "costs": (
            "trace_id", "span_id", "name", "actor_id", "actor_name", "actor_kind", "service_name", "starter_type", "cost_usd", "start_time",
        ),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="State the cost on the span, name the model as its provider does, or name the agent.",
)  # fmt: skip
