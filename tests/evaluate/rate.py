"""Shares of small counts, with the interval in which the true share lies with 95 %."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959964


@dataclass(frozen=True)
class Rate:
    """`hits` of `n`."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        return self.hits / self.n if self.n else None

    def interval(self) -> tuple[float, float]:
        """Wilson's score interval; (0, 1) of nothing."""
        if not self.n:
            return 0.0, 1.0
        share, square = self.hits / self.n, _Z**2
        middle = (share + square / (2 * self.n)) / (1 + square / self.n)
        half = _Z * sqrt(share * (1 - share) / self.n + square / (4 * self.n**2)) / (1 + square / self.n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        if not self.n:
            return "-"
        low, high = self.interval()
        return f"{self.hits / self.n:.3f} [{low:.3f}, {high:.3f}], {self.hits}/{self.n}"

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.hits + other.hits, self.n + other.n)
