"""The short form of spans (`analysis/casebook.py`) and the cases of our own detectors."""

from __future__ import annotations

from pathlib import Path

from actorscope.analysis import casebook
from actorscope.analysis.casebook import BASE, Case, Made, Place, Row, spans
from actorscope.demo.stories import SIDES, stories

CASES = Path(__file__).parent / "cases"
__all__ = ["BASE", "CASES", "Case", "Made", "Place", "Row", "cases", "spans", "told"]


def cases() -> list[Case]:
    """Every case, by detector and file."""
    return casebook.cases(CASES)


def told(seed: int) -> list[Case]:
    """The stories of the library as cases: the fault fires, its twin is near. What is expected stands in their tests."""
    return [
        Case(Path(story.detector) / f"{kind}_story.yaml", story.fault, story.made(side, seed), [], {}, ())
        for story in stories()
        for kind, side in zip(("fires", "near"), SIDES, strict=True)
    ]
