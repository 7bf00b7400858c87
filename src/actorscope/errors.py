"""The errors of Actorscope: what went wrong decides who hears of it and whether trying again helps.

Bad *input* is never an exception: it is a counted :class:`Reject` and the rest of the request goes on.
"""

from __future__ import annotations

from dataclasses import dataclass


class ActorscopeError(Exception):
    """Base of every error that Actorscope raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a definition (settings, registry, dialect), with the place and the way out."""

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class DefinitionError(ActorscopeError):
    """A setting, registry or dialect file is wrong; carries every problem found, not only the first.

    Ends the start of a process with exit code 2 and one line per problem.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))


class TransientError(ActorscopeError):
    """It may work later; `retry_after_seconds` is the earliest sensible moment."""

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class ThrottledError(TransientError):
    """The sender is over its rate; later it may go on."""


class PermanentError(ActorscopeError):
    """It will not work, however often it is tried."""


class UnauthenticatedError(PermanentError):
    """The sender did not prove who it is."""


class ForbiddenError(PermanentError):
    """The sender is known and may not do this."""


class TooLargeError(PermanentError):
    """The request is larger than this ingester takes."""


@dataclass(frozen=True)
class Reject:
    """Spans or log records that cannot be used: the reason (a short stable code) and how many."""

    reason: str
    count: int
