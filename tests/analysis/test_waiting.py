"""Live waits from start events in the store: deadlocked, suspected, cycling, orphaned, slow, and what is none of these."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from tests.ingest import otlp

from actorscope.analysis.findings import Change
from actorscope.analysis.runner import Runner
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.settings import AnalysisSettings

NOW = datetime.now(UTC)
AT = 1_790_000_000_000_000_000
"""Event times are those of an old recording; verdicts go by when we heard of something."""


class World:
    """Open spans of some agents, told to a store in any order; time passes when the test says so."""

    def __init__(self, store: Store) -> None:
        self.store, self.seq, self.now = store, 0, NOW
        self.runner = Runner(store, AnalysisSettings())
        self.told: list[tuple[str, dict[str, Any]]] = []

    def begins(self, number: int, above: int = 0, trace: int = 1, event: str = "actorscope.span.start", **said: Any) -> None:
        attributes = {
            "actorscope.span.name": "step", "actorscope.span.kind": "internal",
            "actorscope.span.parent.id": f"{above:016x}" if above else "",
            **{key.replace("__", "."): value for key, value in said.items()},
        }  # fmt: skip
        place = {"trace_id": trace.to_bytes(16, "big"), "span_id": number.to_bytes(8, "big")}
        self.told.append(("logs", {"time_unix_nano": AT + number * 10**9, "event_name": event, **place, "attributes": attributes}))

    def agent(self, number: int, name: str, above: int = 0, trace: int = 1, **said: Any) -> None:
        of = {"gen_ai__operation__name": "invoke_agent", "gen_ai__agent__name": name, "actorscope__agent__instance__id": f"inst-{name}"}
        self.begins(number, above, trace, **of, **said)

    def waits(self, number: int, above: int, *targets: str, trace: int = 1, kind: str = "message") -> None:
        for i, target in enumerate(targets):
            event = "actorscope.span.start" if i == 0 else "actorscope.wait.start"
            of = {"actorscope__operation__name": "wait", "actorscope__wait__target__type": kind, "actorscope__wait__target__id": target}
            self.begins(number, above, trace, event, **of)

    def ends(self, number: int, above: int = 0, trace: int = 1, **said: Any) -> None:
        attributes = {key.replace("__", "."): value for key, value in said.items()}
        parent = above.to_bytes(8, "big") if above else b""
        times = {"start_time_unix_nano": AT + number * 10**9, "end_time_unix_nano": AT + (number + 100) * 10**9}
        self.told.append(("traces", {"number": number, "attributes": attributes, "trace": trace, "parent_span_id": parent, **times}))

    def tell(self, *, order: random.Random | None = None, twice: bool = False) -> None:
        """Store what was told so far, in this order."""
        told, self.told = self.told * (2 if twice else 1), []
        if order:
            order.shuffle(told)
        for what, fields in told:
            self.seq += 1
            at = int(self.now.timestamp() * 1e9)
            if what == "logs":
                record = record_of("logs", otlp.logs(LogRecord(**{**fields, "attributes": otlp.pairs(fields["attributes"])})))
                self.store.insert("log_rows", log_rows("i", self.seq, [replace(record, received_at=at)]))
            else:
                record = record_of("traces", otlp.traces(otlp.span(**fields)))
                self.store.insert("span_rows", span_rows("i", self.seq, [replace(record, received_at=at)]))

    def look(self, after: float = 6.0) -> list[tuple[str, str, str, str]]:
        """Detector, kind of change, severity and verdict of what a look changes."""
        self.now += timedelta(seconds=after)
        return [self._said(change) for change in self.runner.look_out_once(self.now)]

    @staticmethod
    def _said(change: Change) -> tuple[str, str, str, str]:
        finding = change.finding
        return finding.detector.removeprefix("delegation_"), change.kind, finding.severity, finding.baseline.get("verdict", "")


SUSPECTED = ("deadlock", "opened", "low", "suspected")
CONFIRMED = ("deadlock", "escalated", "high", "deadlocked")


def nested(world: World) -> None:
    world.agent(1, "lead")
    world.agent(2, "drafter", 1, actorscope__delegation__mode="return_to_caller")
    world.waits(3, 2, "inst-lead")


def nested_by_three(world: World) -> None:
    world.agent(1, "lead")
    world.agent(2, "reviewer", 1)
    world.begins(3, 2, gen_ai__operation__name="execute_tool", gen_ai__tool__name="ask")
    world.agent(4, "drafter", 3)
    world.waits(5, 4, "inst-lead")


def across(world: World, size: int = 2) -> None:
    for i in range(size):
        world.agent(1, f"a{i}", trace=i + 1)
        world.waits(2, 1, f"inst-a{(i + 1) % size}", trace=i + 1)


def locks(world: World) -> None:
    """Each of two agents got a lock and waits for the other's."""
    for i in (1, 2):
        world.agent(1, f"a{i}", trace=i)
        world.ends(2, 1, trace=i, actorscope__wait__target__type="lock", actorscope__wait__target__id=f"lock-{i}")
        world.waits(3, 1, f"lock-{3 - i}", trace=i, kind="lock")


CIRCLES: list[Callable[[World], None]] = [nested, nested_by_three, across, lambda w: across(w, 3), locks]


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("circle", CIRCLES, ids=["nested", "nested_by_three", "across", "across_three", "locks"])
def test_a_circle_is_suspected_then_confirmed_then_over(store: Store, circle: Callable[[World], None], twice: bool) -> None:
    def live() -> None:
        world = World(store)
        circle(world)
        world.tell(order=random.Random(3), twice=twice)
        assert world.look(1) == [], "too young to say"
        assert world.look(4.5) == [SUSPECTED]
        assert world.look(0.2) == []
        assert world.look(4) == [CONFIRMED]
        assert world.look(600) == []
        assert Runner(store, AnalysisSettings()).look_out_once(world.now) == [], "another process goes on where this one was"
        (finding,) = (f for (name, _), f in world.runner._open.items() if name == "delegation_deadlock")  # type: ignore[union-attr]
        released = finding.evidence[-1]
        world.ends(int(released["span_id"], 16), trace=int(released["trace_id"], 16))
        world.tell()
        assert ("deadlock", "resolved") in [(d, kind) for d, kind, *_ in world.look()]

    in_worker(live)


def at_work(world: World) -> None:
    """The one who is waited for is in a call that takes long."""
    nested(world)
    world.begins(4, 1, gen_ai__operation__name="chat")


def one_of_two(world: World) -> None:
    across(world)
    world.waits(2, 1, "inst-a1", "inst-outside")


def detached(world: World) -> None:
    world.agent(1, "lead")
    world.agent(2, "drafter", 1, actorscope__delegation__mode="detached")
    world.waits(3, 2, "inst-lead")


def half_told(world: World) -> None:
    world.agent(1, "a0")
    world.waits(2, 1, "inst-a1")
    world.waits(2, 1, "inst-a0", trace=2)


def silent_call(world: World) -> None:
    world.agent(1, "lead")
    world.begins(2, 1, gen_ai__operation__name="chat")


CALM: list[Callable[[World], None]] = [at_work, one_of_two, detached, half_told, silent_call]


@pytest.mark.parametrize("calm", CALM, ids=lambda f: f.__name__)
def test_who_has_a_way_out_is_in_no_deadlock(store: Store, calm: Callable[[World], None]) -> None:
    def live() -> None:
        world = World(store)
        calm(world)
        world.tell()
        for _ in range(4):
            assert [said for said in world.look(10) if said[0] == "deadlock"] == []

    in_worker(live)


def test_a_target_that_is_told_of_late_closes_the_circle(store: Store) -> None:
    def live() -> None:
        world = World(store)
        half_told(world)
        world.tell()
        assert world.look(20) == []
        world.agent(1, "a1", trace=2)
        world.tell()
        assert world.look(6) == [SUSPECTED]
        assert world.look(6) == [CONFIRMED]

    in_worker(live)


def test_a_circle_whose_members_still_do_something_is_cycling(store: Store) -> None:
    def live() -> None:
        world = World(store)
        nested(world)
        world.tell()
        assert world.look(6) == [SUSPECTED]
        for number in (20, 21, 22):
            world.ends(number, 2, gen_ai__operation__name="chat")
            world.tell()
            assert all(severity == "low" for _, _, severity, _ in world.look(6))
        assert world.look(6) == [CONFIRMED]

    in_worker(live)


def test_a_wait_for_a_run_that_has_ended_is_an_orphan(store: Store) -> None:
    def live() -> None:
        world = World(store)
        across(world)
        world.ends(1, trace=2, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="a1", actorscope__agent__instance__id="inst-a1")
        world.ends(2, 1, trace=2)
        world.tell()
        assert world.look(11) == [("stalled", "opened", "low", "orphaned")]
        world.ends(2, 1)
        world.tell()
        assert [(d, kind) for d, kind, *_ in world.look()] == [("stalled", "resolved")]

    in_worker(live)


def test_a_long_wait_is_slow_and_no_more(store: Store) -> None:
    def live() -> None:
        world = World(store)
        world.agent(1, "a0")
        world.waits(2, 1, "apr-7", kind="approval")
        world.tell()
        assert world.look(540) == []
        assert world.look(120) == [("stalled", "opened", "info", "slow")]

    in_worker(live)
