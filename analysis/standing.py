"""Where an amount stands among earlier ones, on a logarithmic scale: in its own kind of work, or in a wider one while that
one has too few runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Amounts = npt.NDArray[np.float64]
ABOUT = 0.8
"""What took as much as so much of an amount was about as dear."""
_UPPER, _UPPER_Z = 0.9, 1.2816
"""A quantile of the upper half, and how many deviations above the middle a normal one has it."""
_GROUPS = 3
"""A wider level says what is usual only where so many kinds of work, or agents, are in it."""
_FEWEST = 3


@dataclass(frozen=True)
class Prior:
    """What is expected of a spread before there are amounts."""

    spread: float = 0.8
    weight: float = 10.0
    """How many amounts the expectation counts as."""
    least: float = 0.3


def spread(logs: Amounts, prior: Prior) -> tuple[float, float]:
    """Median and spread of logarithms: the median deviation or the upper decile, whichever lies farther out, both drawn
    towards what is expected.

    Where the upper half reaches farther than the lower one, the median deviation alone takes the tail for a surprise.
    """
    middle, n = float(np.median(logs)), len(logs)
    deviation = 1.4826 * float(np.median(np.abs(logs - middle)))
    upper = (float(np.quantile(logs, _UPPER)) - middle) / _UPPER_Z
    shrunk = (n * max(deviation, upper) + prior.weight * prior.spread) / (n + prior.weight)
    return middle, max(shrunk, prior.least)


@dataclass(frozen=True)
class Standing:
    """An amount and the earlier ones that it is compared with."""

    level: str
    unit: str
    observed: float
    before: Amounts
    middle: float
    deviation: float

    @property
    def z(self) -> float:
        return (math.log(self.observed) - self.middle) / self.deviation

    @property
    def median(self) -> float:
        return math.exp(self.middle)

    @property
    def ratio(self) -> float:
        return self.observed / self.median

    @property
    def is_own(self) -> bool:
        """Compared with runs for the same kind of work, not with a wider level."""
        return self.level.startswith("actor and task kind")

    def at_z(self, z: float) -> float:
        """The amount that lies so many deviations above the middle."""
        return math.exp(self.middle + z * self.deviation)

    def is_new(self, usual_share: float) -> bool:
        """Next to none of the earlier ones was about as dear."""
        return int(np.count_nonzero(self.before >= ABOUT * self.observed)) < max(1.0, usual_share * len(self.before))


@dataclass(frozen=True)
class _Series:
    """Earlier amounts in order of time, with what each belongs to beside its key."""

    at: npt.NDArray[np.datetime64]
    values: Amounts
    groups: npt.NDArray[np.object_]

    def until(self, at: np.datetime64) -> _Series:
        n = int(np.searchsorted(self.at, at))
        return _Series(self.at[:n], self.values[:n], self.groups[:n])


class Histories:
    """The frames `run_costs` and `wider_costs` as what is asked of them: earlier amounts per level."""

    def __init__(self, run_costs: pl.DataFrame, wider_costs: pl.DataFrame, prior: Prior) -> None:
        self._own = _series(run_costs, ["actor_id", "task_kind", "unit"])
        self._wider = _series(wider_costs, ["level", "of", "unit"])
        self._prior = prior

    def standing(self, run: dict[str, Any], unit: str, observed: float, least: int) -> Standing | None:
        """Where a run stands on the narrowest level that has `least` earlier runs; None where nothing tells.

        Levels: actor, task kind and model; actor and task kind; actor; peers, who are others with the task kind. A wider
        level needs several kinds of work, or agents. Where none has enough, the few earlier runs of the kind are taken.
        """
        at = np.datetime64(run["at_ns"], "ns")
        kind = run["task_kind"] or ""
        own = self._before(self._own, (run["actor_id"], kind, unit), at)
        if own is not None:
            same = own.values[own.groups == (run.get("run_model") or "")]
            if len(same) >= least:
                return self._stands("actor and task kind and model", unit, observed, same)
            if len(own.values) >= least:
                return self._stands("actor and task kind", unit, observed, own.values)
        for level, of, itself in (("actor", run["actor_id"], kind), ("peers", kind, run["actor_id"])):
            wider = self._before(self._wider, (level, of, unit), at)
            if wider is None:
                continue
            others = wider.groups != itself
            if np.count_nonzero(others) >= least and len(set(wider.groups[others])) >= _GROUPS:
                return self._stands(level, unit, observed, wider.values[others])
        few = own is not None and len(own.values) >= _FEWEST
        return self._stands("actor and task kind", unit, observed, own.values) if own is not None and few else None

    def _before(self, known: dict[tuple[str, ...], _Series], key: tuple[str, ...], at: np.datetime64) -> _Series | None:
        series = known.get(key)
        return None if series is None else series.until(at)

    def _stands(self, level: str, unit: str, observed: float, before: Amounts) -> Standing:
        return Standing(level, unit, observed, before, *spread(np.log(before), self._prior))


def _series(costs: pl.DataFrame, key: list[str]) -> dict[tuple[str, ...], _Series]:
    named = costs.unique().with_columns(
        pl.col(key).fill_null(""), pl.col("trace_id").str.splitn(":", 3).struct.field("field_2").fill_null("").alias("group")
    )
    groups = named.sort("at", "trace_id").group_by(key).agg("at", "value", "group")
    return {
        tuple(names): _Series(at.dt.replace_time_zone(None).to_numpy(), value.to_numpy(), np.array(group.to_list(), dtype=object))
        for *names, at, value, group in zip(*groups.get_columns(), strict=True)
    }
