"""Plays runs through the SDK: starts and ends of spans in the order of time, at once or as time passes."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from actorscope.demo.doors import BATCH, Door
from actorscope.demo.fleet import Take
from actorscope.demo.run import SECOND, Attributes, Node, Note, Scope

LOG_SCOPE = Scope("actorscope", "0.1.0")
HEARTBEAT = 10 * SECOND


class Act(NamedTuple):
    """One thing to do at a time: start or end a span, or emit a log record on it."""

    at: int
    run: int
    order: int
    node: Node
    parent: Node | None
    note: Note | None
    ends: bool


def acts(take: Take, run: int) -> list[Act]:
    """A run as acts in order: parents start before their children and end after them."""
    found: list[Act] = []

    def visit(node: Node, parent: Node | None) -> None:
        found.append(Act(node.start, run, len(found), node, parent, None, False))
        for child in node.children:
            visit(child, node)
        for note in node.notes:
            found.append(Act(note.at, run, len(found), node, parent, note, False))
        found.append(Act(node.end, run, len(found), node, parent, None, True))

    visit(take.root, None)
    return sorted(found, key=lambda act: (act.at, act.order))


class Player:
    """Turns acts into spans and log records of the right service."""

    def __init__(self, doors: dict[str, Door]) -> None:
        self.doors = doors
        self.open: dict[int, tuple[Span, Node, Door]] = {}
        self.ended: dict[str, int] = dict.fromkeys(doors, 0)
        self.announce = False

    def perform(self, act: Act, door: Door) -> None:
        """Does one act."""
        if act.note:
            self.log(door, self.open[id(act.node)][0], act.note)
        elif act.ends:
            span, node, _ = self.open.pop(id(act.node))
            self.end(span, node, node.end)
            self.ended[door.service] += 1
        else:
            self.start(act.node, act.parent, door)

    def start(self, node: Node, parent: Node | None, door: Door) -> None:
        """Starts a span, and in live times tells so where the team does that."""
        above = self.open[id(parent)][0] if parent else None
        context = set_span_in_context(above, Context()) if above else Context()
        span = door.tracer(node.scope).start_span(
            node.name, context, node.kind, attributes=node.attributes, start_time=node.start
        )
        self.open[id(node)] = (span, node, door)
        if self.announce:
            facts: Attributes = {
                **node.attributes,
                "actorscope.span.name": node.name,
                "actorscope.span.kind": node.kind.name.lower(),
            }
            if above:
                facts["actorscope.span.parent.id"] = f"{above.get_span_context().span_id:016x}"
            self.log(door, span, Note(node.start, "actorscope.span.start", facts))

    @staticmethod
    def end(span: Span, node: Node, at: int) -> None:
        """Adds what is known at the end, and ends the span."""
        span.set_attributes(node.late)
        if node.failure:
            facts = {"exception.type": node.failure.type, "exception.message": node.failure.message}
            span.add_event("exception", facts, at)
            span.set_attribute("error.type", node.failure.type)
            span.set_status(Status(StatusCode.ERROR, node.failure.message))
        elif node.ok:
            span.set_status(Status(StatusCode.OK))
        span.end(at)

    @staticmethod
    def log(door: Door, span: Span, note: Note) -> None:
        """Emits a log record that points at a span."""
        if door.logs:
            logger = door.logs.get_logger(LOG_SCOPE.name, LOG_SCOPE.version)
            logger.emit(
                timestamp=note.at,
                observed_timestamp=note.at,
                context=set_span_in_context(span, Context()),
                event_name=note.event,
                attributes=note.attributes,
            )

    def history(self, takes: list[Take], seconds: float, stop: threading.Event) -> None:
        """Sends all runs in the order of their time, spread over so many seconds, never faster than accepted."""
        queue = sorted(act for number, take in enumerate(takes) for act in acts(take, number))
        begun, sent = time.monotonic(), dict(self.ended)
        for number, act in enumerate(queue):
            door = self.doors[takes[act.run].service]
            self.perform(act, door)
            if self.ended[door.service] - sent[door.service] >= BATCH:
                sent[door.service] = self.ended[door.service]
                door.flush()
            ahead = seconds * number / len(queue) - (time.monotonic() - begun)
            if ahead > 0.05 and stop.wait(ahead):
                break
        for door in self.doors.values():
            door.flush()

    def live(self, takes: Iterator[Take], stop: threading.Event) -> None:
        """Plays runs as time passes, until it is told to stop."""
        self.announce = True
        queue: list[tuple[Act, Door]] = []
        number, beat = 0, time.time_ns() + HEARTBEAT
        coming = next(takes)
        while not stop.is_set():
            now = time.time_ns()
            while coming.root.start <= now:
                number += 1
                door = self.doors[coming.service]
                for act in acts(coming, number):
                    heapq.heappush(queue, (act, door))
                coming = next(takes)
            while queue and queue[0][0].at <= now:
                self.perform(*heapq.heappop(queue))
            if now >= beat:
                beat = now + HEARTBEAT
                self.beat(now)
            stop.wait(0.1)

    def beat(self, now: int) -> None:
        """Says of every open span of the well-instrumented team that it lives."""
        for span, node, door in list(self.open.values()):
            elapsed: Attributes = {"actorscope.span.elapsed": (now - node.start) / SECOND}
            self.log(door, span, Note(now, "actorscope.span.heartbeat", elapsed))

    def cancel(self) -> None:
        """Ends what is open, innermost first, as a service does that is told to stop."""
        now = time.time_ns()
        for span, node, _ in reversed(list(self.open.values())):
            span.set_attribute("actorscope.execution.finish_reason", "cancelled")
            span.end(max(now, node.start))
        self.open.clear()


def accepted(doors: Iterable[Door]) -> tuple[int, int]:
    """How many spans were accepted and how many were not."""
    return sum(door.counted.accepted for door in doors), sum(door.counted.failed for door in doors)
