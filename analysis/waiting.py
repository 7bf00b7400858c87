"""Who waits for whom right now: from the starts of spans that have not ended.

A run answers when any of its branches goes on, and returns when all of them do; a step that waits goes on with any of its
targets. What is not known to be open goes on: nothing is claimed of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actorscope.analysis.wait_graph import Needs, Node, knots

Place = tuple[str, str]
Row = dict[str, Any]
_GOES_ON = Needs(frozenset())


@dataclass(frozen=True)
class Edge:
    """Somebody who waits, for whom, where and since when."""

    waiter: Place
    target: Place
    kind: str
    """What is waited for: `delegation`, `message`, `lock`, `approval`"""
    place: Place
    began: datetime
    known_at: datetime


@dataclass
class Open:
    """The open spans of some traces, and what they mean for each other."""

    spans: dict[Place, Row]
    """By place; columns of `queries/open_starts.sql`"""
    holders: dict[str, Place] = field(default_factory=dict)
    """Runs that got a lock and are still open, by the lock."""

    def __post_init__(self) -> None:
        self.below: dict[Place, list[Place]] = {}
        for place, span in sorted(self.spans.items()):
            self.below.setdefault((place[0], span["parent_span_id"]), []).append(place)
        runs = [place for place, span in sorted(self.spans.items()) if is_run(span)]
        self.by_instance = {i: p for p in runs if (i := self.spans[p]["agent_instance_id"])}
        self.by_delegation = {d: p for p in runs if (d := self.spans[p]["delegation_id"])}

    def graph(self) -> dict[Node, Needs]:
        """What every open run and wait needs to go on."""
        found: dict[Node, Needs] = {}
        for place, span in self.spans.items():
            if is_run(span):
                branches = frozenset(self._branches(place))
                found[("returns", *place)] = Needs(branches)
                found[("answers", *place)] = Needs(branches, is_any=True)
            if waits := frozenset(node for _, _, node in self._targets(place)):
                found[("waits", *place)] = Needs(waits, is_any=True)
            else:
                found.setdefault(("waits", *place), _GOES_ON)
        return found

    def _branches(self, run: Place) -> Iterator[Node]:
        """What goes on below a run: each wait, each open run that it waits for, each step at work."""
        seen, rest = {run}, list(self.below.get(run, ()))
        if self.spans[run]["targets"]:
            yield ("waits", *run)
        while rest:
            place = rest.pop()
            if place in seen:
                continue
            seen.add(place)
            span = self.spans[place]
            if is_run(span):
                if span["delegation_mode"] not in ("detached", "pass_control"):
                    yield ("returns", *place)
            elif span["targets"] or not self.below.get(place):
                yield ("waits", *place)
            else:
                rest += self.below[place]

    def _targets(self, place: Place) -> Iterator[tuple[str, Place | None, Node]]:
        """Kind of wait, the run that is waited for where it is open, and its node."""
        span = self.spans[place]
        for kind, name in span["targets"]:
            run = self.who(kind, name)
            node = ("outside", kind, name) if run is None else ("returns" if kind == "delegation" else "answers", *run)
            yield kind, run, node
        asked = span["delegation_id"]
        if not span["targets"] and not is_run(span) and not self.below.get(place) and asked in self.by_delegation:
            run = self.by_delegation[asked]
            # A step names the delegation under which it works; only that of another trace is one it gave.
            if run[0] != place[0] and span["delegation_mode"] not in ("detached", "pass_control"):
                yield "delegation", run, ("returns", *run)

    def who(self, kind: str, name: str) -> Place | None:
        """The open run that a wait of this kind for this name waits for."""
        if kind == "lock":
            return self.holders.get(name)
        if kind == "delegation":
            return self.by_delegation.get(name) or self.by_instance.get(name)
        return self.by_instance.get(name) if kind in ("message", "approval") else None

    def run_of(self, place: Place) -> Place | None:
        """The nearest open run above a span."""
        for _ in range(len(self.spans)):
            span = self.spans.get(place)
            if span is None:
                return None
            place = (place[0], span["parent_span_id"])
            if place in self.spans and is_run(self.spans[place]):
                return place
        return None

    def deadlocks(self) -> list[list[Edge]]:
        """Groups of runs that wait for each other, each as its edges in order of time."""
        found = (sorted(set(self._edges(knot)), key=lambda e: (e.began, e.place)) for knot in knots(self.graph()))
        return sorted((edges for edges in found if edges), key=lambda edges: edges[0].place)

    def _edges(self, knot: frozenset[Node]) -> Iterator[Edge]:
        for kind, *rest in sorted(knot):
            place = (rest[0], rest[1])
            span = self.spans[place]
            waiter = place if kind == "waits" and is_run(span) else self.run_of(place)
            if waiter is None:
                continue
            when = span["began"], span["known_at"]
            if kind == "waits":
                for what, run, node in self._targets(place):
                    if node in knot and run is not None:
                        yield Edge(waiter, run, what, place, *when)
            elif kind == "returns" and {("returns", *waiter), ("answers", *waiter)} & knot:
                yield Edge(waiter, place, "delegation", place, *when)


def is_run(span: Row) -> bool:
    return bool(span["operation"] == "invoke_agent")


def holders(spans: dict[Place, Row], locks: Iterable[tuple[str, str, str, datetime]]) -> dict[str, Place]:
    """Who has which lock: the open run in which a wait for it ended last. `locks`: trace, lock, parent span, when."""
    there, found = Open(spans), {}
    for trace, lock, parent, _ in sorted(locks, key=lambda got: got[3]):
        at = (trace, parent)
        run = at if at in spans and is_run(spans[at]) else there.run_of(at)
        found[lock] = run
    return {lock: run for lock, run in found.items() if run is not None}
