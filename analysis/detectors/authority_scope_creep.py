"""What an agent reaches grows faster than it used to: many tools and kinds of resources in one week that were new to it.

**What it finds.** A week in which an actor used more new pairs of tool and class of resource (a mail domain, a site, a folder)
than the upper 99.9 % of a Poisson distribution with the weekly mean of the eight weeks before allows (P8). The mean counts one
pair more than was seen, so that a quiet past does not make any news an anomaly.

**Why it matters.** Rights are seldom misused all at once; an agent that needs ever more of them outgrows what it was built for.

**Evidence and basis.** The use with which the limit was passed; the new uses of the week before it are context. Derived from
tools and arguments, in the time of the events.

**What it cannot know.** Whether the growth is wanted; an actor of fewer than four weeks, and one that used 512 pairs and more.

**False positives.** A new task, or a new version with new tools: its first runs are told one degree lower.

**Next step.** Compare the week's new uses with what the agent is for; narrow its grant to the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import exp
from typing import Any

import polars as pl

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence, Signal, effect

_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Config:
    """Thresholds of scope creep."""

    weeks: int = 8
    """Weeks before that tell what is usual (at most 8)."""
    min_weeks: int = 4
    """Weeks for which an actor must be known."""
    share: float = 0.999
    """Share of ordinary weeks that lie below the limit."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per actor and week, at the use that passed the limit."""
    known = frames["growth"].unique(["actor_id", "tool_name", "resource"]).sort("actor_id", "at", "tool_name", "resource")
    known = known.with_columns(pl.col("at").dt.truncate("1w").alias("week"))
    return [
        signal
        for _, of_actor in groupby(rows(known), key=lambda row: str(row["actor_id"]))
        for signal in _of_actor(list(of_actor), config)
    ]


def _of_actor(pairs: list[dict[str, Any]], config: Config) -> list[Signal]:
    found = []
    for week, of_week in groupby(pairs, key=lambda pair: pair["week"]):
        new = list(of_week)
        usual = _usual(pairs, week, config)
        if usual is None:
            continue
        limit = upper(usual[0], config.share)
        if len(new) > limit and new[limit]["span_ids"]:
            found.append(_signal(new[: limit + 1], week, usual, config))
    return found


def _usual(pairs: list[dict[str, Any]], week: datetime, config: Config) -> tuple[float, int] | None:
    """The weekly mean before this week and over how many weeks; None for an actor that is too young."""
    age = (week - pairs[0]["week"]) // _WEEK
    if age < config.min_weeks:
        return None
    weeks = min(config.weeks, 8, age)
    seen = sum(week - weeks * _WEEK <= pair["week"] < week for pair in pairs)
    return (seen + 1) / weeks, weeks


def upper(mean: float, share: float) -> int:
    """The least number that at least this share of draws from a Poisson distribution does not pass."""
    term = total = exp(-mean)
    number = 0
    while total < share and number < 10_000:
        number += 1
        term *= mean / number
        total += term
    return number


def _named(pair: dict[str, Any]) -> str:
    return f"{pair['tool_name']} on {pair['resource']}" if pair["resource"] else str(pair["tool_name"])


def _signal(new: list[dict[str, Any]], week: datetime, usual: tuple[float, int], config: Config) -> Signal:
    last, (mean, weeks) = new[-1], usual
    name = last["actor_name"] or last["actor_id"]
    context = [
        Evidence(pair["trace_id"], pair["span_id"], "context: new this week", f"first use of {_named(pair)}")
        for pair in new[:-1]
        if pair["trace_id"]
    ]
    return Signal(
        rule="P8",
        severity="low",
        confidence=0.6,
        title=f"{name} used {len(new)} tools and kinds of resources for the first time in the week of {week:%Y-%m-%d}",
        subject_id=last["actor_id"],
        subject_name=last["actor_name"] or "",
        scope=(f"{week:%Y-%m-%d}",),
        trace_id=last["trace_id"],
        span_id=last["span_id"],
        at=last["at"],
        evidence=(
            *context[-(EVIDENCE_LIMIT - 1) :],
            Evidence(last["trace_id"], last["span_id"], "new use past the limit", f"first use of {_named(last)}"),
        ),
        baseline={
            "level": "actor", "n": weeks, "window": f"{weeks} weeks", "observed": len(new), "expected": round(mean, 3),
            "threshold": len(new) - 1, "parameters": vars(config),
        },
        counterfactual=f"silent without the first use of {_named(last)}: {len(new) - 1} new uses are within the limit",
        edits=tuple(Edit(last["trace_id"], span) for span in last["span_ids"]),
        impact=effect(last),
        basis="derived",
        caveats=() if weeks == 8 else (f"only {weeks} weeks before are known",),
    )  # fmt: skip


DETECTOR = Detector(
    id="authority_scope_creep",
    family="authority",
    title="Reach that grows",
    version=1,
    needs={
        "growth": (
            "actor_id", "actor_name", "tool_name", "resource", "at", "trace_id", "span_id", "span_ids", "side_effect", "target", "cost_usd",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Compare the week's new uses with what the agent is for; narrow its grant to the rest.",
    quiet_hours=24.0 * 7,
    learns=True,
)  # fmt: skip
