"""The shape of a detector: what it needs, what it can be told, and one pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import polars as pl

from actorscope.analysis.finding import Signal
from actorscope.errors import Problem

WRITES = ("write", "destructive")
"""Effect classes that change something."""
FAMILIES = ("delegation", "authority", "cost", "reexecution", "system")
Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Detector:
    """A rule that looks at frames and returns signals.

    `needs` names the frames (see `analysis/frames.py`) and the columns the function may see: it gets exactly these.
    `detect` is pure: no clock, no input or output, no randomness; row order and duplicates do not matter.
    The module docstring of the detector is its explanation, shown in the docs and the explorer.
    """

    id: str
    family: str
    title: str
    version: int
    needs: Mapping[str, tuple[str, ...]]
    config: type
    detect: Callable[[Frames, Any], list[Signal]]
    explanation: str
    next_step: str
    quiet_hours: float = 24.0
    learns: bool = False
    """It compares with what is usual: spoken more softly about the first runs of a new version (`analysis/grace.py`)."""
    follows: tuple[str, ...] = ()
    """Detectors, or beginnings of their ids, whose findings explain those of this one (`analysis/roots.py`)."""

    swallows: tuple[str, ...] = ()
    """Detectors that have nothing to add on a span of which this one speaks."""

    def configure(self, given: Mapping[str, Any]) -> tuple[Any, list[Problem]]:
        """The configuration with defaults, and what is wrong with the values that were given."""
        known = {f.name: f for f in fields(self.config)}
        where = f"setting analysis.detectors.{self.id}"
        problems = [
            Problem(f"{where}.{k}", "no such threshold", f"known: {', '.join(known)}") for k in given if k not in known
        ]
        hints = get_type_hints(self.config)
        for key, value in given.items():
            if (
                key in known
                and hints[key] in (int, float)
                and (isinstance(value, bool) or not isinstance(value, int | float))
            ):
                problems.append(Problem(f"{where}.{key}", f"needs a number, not {value!r}"))
        return (self.config() if problems else self.config(**given)), problems


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a small frame as dicts; detectors narrow down with expressions before they call this."""
    return frame.to_dicts()
