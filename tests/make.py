"""The short form of spans (`analysis/casebook.py`) and the cases of our own detectors."""

from __future__ import annotations

from pathlib import Path

from actorscope.analysis import casebook
from actorscope.analysis.casebook import BASE, Case, Made, Place, Row, spans

CASES = Path(__file__).parent / "cases"
__all__ = ["BASE", "CASES", "Case", "Made", "Place", "Row", "cases", "spans"]


def cases() -> list[Case]:
    """Every case, by detector and file."""
    return casebook.cases(CASES)
