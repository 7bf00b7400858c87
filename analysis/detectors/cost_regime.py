"""From a run on, an agent's runs for the same kind of task cost more than they did.

**What it finds.** A step in what the runs of an actor and task kind cost, as a whole or per model call: a cumulative sum
over the ranks of the runs (see `analysis/chart.py`), which no single dear run can trip.

**Why it matters.** A new prompt, a longer context, another model or more turns raise every run a little. No run stands
out, and the bill doubles.

**Evidence and basis.** The run that made the change certain and, as context, the first and the dearest runs since; medians
before and after. Twice the cost is noticed after 11 runs in the median, three times after 8.

**What it cannot know.** Whether the change was wanted. Where the tokens of the same runs did not move, the price did or the
model: that is told as low.

**False positives.** A steady agent of 400 runs is silent in 97 of 100 cases, whatever the shape of its costs. Work that
comes in waves looks like a step.

**Next step.** What was released before the first of these runs? Compare one of them with one from before.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis import chart, spending
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal

_SHOWN = 5


@dataclass(frozen=True)
class Config:
    """Thresholds of the change."""

    slack: float = 0.5
    """Deviations by which a run must lie above the middle to count."""
    limit: float = 9.0
    """Sum from which the change is certain."""
    min_runs: int = 20
    """Earlier runs needed."""
    medium_ratio: float = 1.5
    """Multiple of the earlier median from which it is medium. Measured over few runs, twice the cost may look like this."""
    min_usd: float = 0.10
    """What the change must have cost so far for medium."""
    min_tokens: int = 20_000
    """The same where nothing is priced."""


@dataclass(frozen=True)
class _Stream:
    """The known runs of an actor and task kind in order of time: place, and amount by unit."""

    runs: list[dict[str, Any]]
    unit: str

    def amounts(self, unit: str) -> list[float | None]:
        return [run["by_unit"].get(unit) for run in self.runs]


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per change that is certain at or after a run that is looked at now."""
    touched = frames["runs"].filter("is_settled", pl.col("actor_id").is_not_null())
    touched = touched.with_columns(pl.col("task_kind").fill_null("")).unique(["trace_id", "span_id"])
    known = frames["run_costs"].with_columns(pl.col("task_kind").fill_null("")).unique()
    histories = known.partition_by("actor_id", "task_kind", as_dict=True)
    signals = []
    for key, mine in _by_key(touched).items():
        first = min(run["start_time"] for run in mine)
        stream = _stream(histories.get(key, known.clear()))
        # Charts run side by side need the same runs; one without calls is seen by the other chart only.
        units = [stream.unit, stream.unit + spending.PER_CALL]
        complete = _Stream([r for r in stream.runs if all(u in r["by_unit"] for u in units)], stream.unit)
        logs = [[math.log(run["by_unit"][u]) for run in complete.runs] for u in units]
        for rise in chart.rises(logs, config.slack, config.limit, config.min_runs):
            if complete.runs[rise.at]["at"] >= first:
                signals.append(_signal(key, mine[0]["actor_name"], complete, units[rise.stream], rise, config))
    return signals


def _by_key(runs: pl.DataFrame) -> dict[tuple[str, str], list[dict[str, Any]]]:
    groups = defaultdict(list)
    for run in rows(runs.sort("start_time", "span_id")):
        groups[run["actor_id"], run["task_kind"]].append(run)
    return groups


def _stream(history: pl.DataFrame) -> _Stream:
    runs: dict[str, dict[str, Any]] = {}
    for row in rows(history.sort("at", "trace_id")):
        run = runs.setdefault(row["trace_id"], {"place": row["trace_id"].split(":", 2)[:2], "at": row["at"], "by_unit": {}})
        run["by_unit"][row["unit"]] = row["value"]
    priced = sum("usd" in run["by_unit"] for run in runs.values())
    return _Stream(list(runs.values()), "usd" if 2 * priced > len(runs) else "tokens")


def _ratio(amounts: list[float | None], rise: chart.Rise) -> tuple[float, float] | None:
    """Median before and after the change, where both are known."""
    before = [a for a in amounts[rise.began : rise.since] if a]
    after = [a for a in amounts[rise.since : rise.at + 1] if a]
    return (float(np.median(before)), float(np.median(after))) if before and after else None


def _is_price(stream: _Stream, unit: str, ratio: float, rise: chart.Rise) -> bool:
    """Whether the tokens of the same runs moved by less than half as much."""
    tokens = _ratio(stream.amounts(unit.replace("usd", "tokens")), rise) if unit.startswith("usd") else None
    return tokens is not None and math.log(tokens[1] / tokens[0]) < 0.5 * math.log(ratio)


def _at(run: dict[str, Any], role: str, why: str) -> Evidence:
    trace_id, span_id = run["place"]
    return Evidence(trace_id, span_id, role, why)


def _signal(
    key: tuple[str, str], name: str | None, stream: _Stream, unit: str, rise: chart.Rise, config: Config
) -> Signal:
    before, after = _ratio(stream.amounts(unit), rise) or (1.0, 1.0)
    ratio, since, tip = after / before, stream.runs[rise.since : rise.at + 1], stream.runs[rise.at]
    usual = (_ratio(stream.amounts(stream.unit), rise) or (0.0, 0.0))[0]
    extra = sum(max(0.0, run["by_unit"][stream.unit] - usual) for run in since)
    is_large = extra >= (config.min_usd if stream.unit == "usd" else config.min_tokens)
    is_price = _is_price(stream, unit, ratio, rise)
    amounts = f"{spending.amount(before, unit)} to {spending.amount(after, unit)}"
    dearest = sorted(since, key=lambda run: (-run["by_unit"][unit], run["place"]))[:_SHOWN]
    return Signal(
        rule="C6",
        severity="medium" if ratio >= config.medium_ratio and is_large and not is_price else "low",
        confidence=min(0.95, 0.6 + rise.total / 100 + min(ratio, 3) / 15),
        title=f"Runs of {name or key[0]} for {key[1] or 'any work'} went from {amounts}, {ratio:.1f} times as much",
        subject_id=key[0],
        subject_name=name or "",
        scope=("cost regime", key[1]),
        trace_id=tip["place"][0],
        span_id=tip["place"][1],
        at=tip["at"],
        evidence=(
            _at(tip, "changed", f"the {len(since)}. run since the change, at which it was certain"),
            _at(since[0], "context first changed", "the first run that lies above"),
            *(
                _at(run, "context changed", spending.amount(run["by_unit"][unit], unit))
                for run in dearest
                if run not in (tip, since[0])
            ),
        ),
        baseline={
            "level": "actor and task kind" if key[1] else "actor",
            "runs": rise.since - rise.began,
            "unit": unit,
            "median": before,
            "observed": after,
            "runs_since": len(since),
            "sum": round(rise.total, 2),
            "threshold": f"sum above {config.limit:g} with slack {config.slack:g}; medium from {config.medium_ratio:g} times",
        },
        counterfactual=f"not certain yet if {tip['place'][1]} had cost {spending.amount(before, unit)}; "
        f"silent without the {len(stream.runs) - rise.since} runs from the change on",
        edits=tuple(Edit(*run["place"]) for run in stream.runs[rise.since :]),
        impact={"cost_usd": extra if stream.unit == "usd" else None, "runs": len(since)},
        basis="derived",
        caveats=("tokens of the same runs did not move: the price or the model did",) if is_price else (),
    )


DETECTOR = Detector(
    id="cost_regime",
    family="cost",
    title="Cost rose for good",
    version=1,
    needs={
        "runs": ("trace_id", "span_id", "is_settled", "actor_id", "actor_name", "task_kind", "start_time"),
        "run_costs": ("actor_id", "task_kind", "unit", "at", "trace_id", "value"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    learns=True,
    follows=("delegation_", "reexecution_"),
    next_step="What was released before the first of these runs? Compare one of them with one from before.",
    quiet_hours=24.0 * 7,
)
