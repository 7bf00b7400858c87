"""One run of an agent, written down before it is sent: spans as nodes of a tree, on a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

SECOND = 1_000_000_000

Attributes = dict[str, AttributeValue]


class Scope(NamedTuple):
    """The instrumentation scope that a framework's spans carry."""

    name: str
    version: str
    schema_url: str | None = None


class Note(NamedTuple):
    """A log record that belongs to a span: approvals and budget checks."""

    at: int
    event: str
    attributes: Attributes


class Failure(NamedTuple):
    """Why a span ended in error."""

    type: str
    message: str


@dataclass
class Node:
    """One span to be: what is known at its start, what is added at its end, and the spans under it."""

    scope: Scope
    name: str
    kind: SpanKind
    start: int
    attributes: Attributes
    end: int = 0
    late: Attributes = field(default_factory=dict)
    ok: bool = False
    failure: Failure | None = None
    notes: list[Note] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def shift(self, nanos: int) -> None:
        """Moves the node and everything under it in time."""
        self.start += nanos
        self.end += nanos
        self.notes = [note._replace(at=note.at + nanos) for note in self.notes]
        for child in self.children:
            child.shift(nanos)

    def walk(self) -> Iterator[Node]:
        """The node and everything under it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass
class Run:
    """The stage of one run: who asked, in which conversation, its random source and its own clock.

    Technical ids have a random source of their own (`ids`): a replayed run says the same under new ids.
    """

    service: str
    serial: str
    now: int
    rng: Random
    ids: Random
    user: str
    flaky: float = 0.0
    roots: list[Node] = field(default_factory=list)
    stack: list[Node] = field(default_factory=list)
    number: int = 0
    size: float = 1.0
    topic: int = 0

    @property
    def conversation(self) -> str:
        """The conversation that this run belongs to."""
        return f"conv-{self.serial.lower()}"

    def wait(self, seconds: float) -> None:
        """Lets time pass on the clock of the run."""
        self.now += int(seconds * SECOND)

    def draw(self, median: float, sigma: float = 0.35, reach: float = 2.0) -> float:
        """A log-normal value with its tails cut at `reach` sigmas, so that healthy stays healthy."""
        z = max(-reach, min(reach, self.rng.gauss(0.0, 1.0)))
        return float(median * 2.718281828459045 ** (sigma * z))

    def hexid(self, digits: int = 16) -> str:
        """A random-looking id in lowercase hex."""
        return f"{self.ids.getrandbits(digits * 4):0{digits}x}"

    def pick(self, options: list[str]) -> str:
        """One of the options."""
        return self.rng.choice(options)

    def stumbles(self) -> bool:
        """Whether a tool call of this run fails once before it works."""
        return self.rng.random() < self.flaky

    @contextmanager
    def span(
        self, scope: Scope, name: str, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL
    ) -> Iterator[Node]:
        """Opens a span under the innermost open one and closes it at the time that has then been reached."""
        self.wait(self.rng.uniform(0.001, 0.008))
        node = Node(scope, name, kind, self.now, attributes)
        (self.stack[-1].children if self.stack else self.roots).append(node)
        self.stack.append(node)
        try:
            yield node
        finally:
            self.stack.pop()
            self.wait(self.rng.uniform(0.001, 0.004))
            node.end = self.now
