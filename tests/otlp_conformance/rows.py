"""A row of the checklist: what must hold, how much it must, and the check that finds out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.otlp_conformance.peer import Peer

LEVELS = {"M": "must", "S": "should", "O": "may"}


class NotMeasuredError(Exception):
    """The check needs something that this server does not let us do from outside; says what."""


@dataclass(frozen=True)
class Result:
    """`met`, `not met` or `not measured`, and what is to be said about it."""

    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the document."""

    id: str
    level: str
    sentence: str
    check: Callable[[Peer], str | None]

    def run(self, peer: Peer) -> Result:
        """Run the check; what it returns is the note."""
        try:
            return Result("met", self.check(peer) or "")
        except NotMeasuredError as error:
            return Result("not measured", str(error))
        except Exception as error:  # a server may break in any way; that is the result
            said = str(error).partition("\n")[0] or type(error).__name__
            return Result("not met", said if isinstance(error, AssertionError) else f"{type(error).__name__}: {said}")


ROWS: list[Row] = []


def row(id: str, level: str, sentence: str) -> Callable[[Callable[[Peer], str | None]], Callable[[Peer], str | None]]:
    """Makes a row of the function below it."""

    def add(check: Callable[[Peer], str | None]) -> Callable[[Peer], str | None]:
        ROWS.append(Row(id, LEVELS[level], sentence, check))
        return check

    return add
