"""The desk over a real store: who hears of what, once, whenever it dies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from tests.analysis.alerts.conftest import AT, alerting, named, subscriber, transition

from actorscope.analysis import ledger
from actorscope.analysis.alerts import outbox, silences
from actorscope.analysis.alerts.desk import Desk
from actorscope.analysis.findings import Change
from actorscope.errors import DefinitionError, TransientError
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import AlertSettings, RouteSettings, TargetSettings

URL = "https://hooks.example/"
Rows = list[tuple[str, str]]


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now

    def put(self, seconds: float) -> datetime:
        self.now = AT + timedelta(seconds=seconds)
        return self.now


def save(store: Store, *transitions: dict[str, Any]) -> None:
    """What the analysis writes of these: transitions and findings."""
    for each in transitions:
        finding = ledger.from_json(
            {"counterfactual_edits": [], "follows": "", "mark": {}, "basis": "declared", **each["finding"]}
        )
        change = Change(finding, each["kind"])
        ledger.save(store, [change], int(each["at"].timestamp() * 1e9))
        ledger.save_findings(store, [change], int(each["at"].timestamp() * 1e9))


def rows(store: Store) -> Rows:
    """Target and id of what was written, in order."""
    found = store.frame("SELECT subscriber, id FROM outbox FINAL ORDER BY created_at, subscriber, id").rows()
    return [(str(target), str(id)) for target, id in found]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(store: Store, clock: Clock) -> Iterator[Callable[..., Desk]]:
    """Makes desks over the store that began before anything happened; each new one is a restart."""

    def make(settings: AlertSettings | None = None) -> Desk:
        clock.now, now = AT - timedelta(days=1), clock.now
        desk = Desk(store, settings or alerting(subscriber(URL)), lambda: "https://scope.example", clock=clock)
        desk.begin()
        clock.now = now
        return desk

    yield make


def test_a_life_with_a_restart_before_every_step_is_told_as_without(store: Store, world: Callable[..., Desk], clock: Clock) -> None:
    def live(restarts: bool) -> Rows:
        settings = AlertSettings(targets=[subscriber(URL, min_severity="info")])
        desk = world(settings)
        told = [
            (0, transition("opened", "medium")),
            (20, transition("escalated", "high", at=AT + timedelta(seconds=20))),
            (21, transition("opened", "low", "fnd_2", at=AT + timedelta(seconds=21), root="fnd_1")),
            (500, transition("resolved", "high", at=AT + timedelta(seconds=500))),
            (520, transition("reopened", "high", at=AT + timedelta(seconds=520), reopened=["x"])),
            (20_000, transition("resolved", "high", at=AT + timedelta(seconds=20_000))),
            (20_001, transition("resolved", "low", "fnd_2", at=AT + timedelta(seconds=20_001))),
        ]
        for seconds in (0, 1, 2, 3, 20, 21, 100, 319, 321, 322, 500, 520, 570, 15_000, 20_000, 20_001, 20_030, 20_062):
            clock.put(seconds)
            news = [each for moment, each in told if moment == seconds]
            for each in news:
                each["finding"]["reopened"] = []
            if restarts:
                desk = world(settings)
                save(store, *news)
            else:
                save(store, *news)
                desk.hear(news)
            desk.work()
            assert desk.work() > 0, "what was written is not due again"
        return rows(store)

    once = in_worker(lambda: live(False))
    assert [id.split("-")[1] for _, id in once] == ["opened", "escalated", "grown", "still_open", "resolved"]
    in_worker(lambda: [store.command(f"TRUNCATE TABLE {t}") for t in ("outbox", "alert_targets", "transitions", "finding_rows")])
    clock.put(0)
    assert in_worker(lambda: live(True)) == once


def test_what_was_heard_and_not_written_is_told_after_a_crash(
    store: Store, world: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> tuple[Rows, Rows]:
        desk, write, is_lost = world(), outbox.write, [False, True]

        def broken(store: Store, rows: list[outbox.Row]) -> None:
            if is_lost.pop():
                raise TransientError("away")
            write(store, rows)
            raise TransientError("the answer was lost")

        with monkeypatch.context() as patched:
            patched.setattr(outbox, "write", broken)
            desk.hear([transition()])
            for _ in range(2):
                with pytest.raises(TransientError):
                    desk.work()
        before = rows(store)
        desk.work()
        world().work()
        return before, rows(store)

    before, later = in_worker(work)
    assert before == later == [("ops", named())]


def test_news_survive_a_store_that_is_away_while_they_are_taken(
    store: Store, world: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> Rows:
        desk = world()
        desk.work()
        desk.hear([transition()])
        with monkeypatch.context() as patched:
            patched.setattr(Desk, "_places", lambda *_: (_ for _ in ()).throw(TransientError("away")))
            with pytest.raises(TransientError):
                desk.work()
        desk.work()
        return rows(store)

    assert in_worker(work) == [("ops", named())]


def test_findings_of_one_root_are_one_notification(store: Store, world: Callable[..., Desk]) -> None:
    def work() -> list[dict[str, Any]]:
        desk = world()
        desk.hear([transition(finding="b", root="a"), transition(finding="a", severity="critical"), transition(finding="c", root="b")])
        desk.work()
        return store.frame("SELECT id, body, group_key FROM outbox").to_dicts()

    (row,) = in_worker(work)
    data = json.loads(row["body"])["data"]
    assert (row["id"], row["group_key"]) == (named(finding="a"), "print of a")
    assert [line["finding_id"] for line in data["findings"]] == ["a", "b", "c"]
    assert data["group"] == {"key": "print of a", "severity": "critical", "open": 3, "resolved": 0}


def test_routes_choose_targets_and_severities_hold_beside(store: Store, world: Callable[..., Desk]) -> None:
    names = ("budget", "money", "tenant", "all", "grave")
    targets = [subscriber(URL, name=n, min_severity="critical" if n == "grave" else "info") for n in names]
    routes = [
        RouteSettings(detectors=["cost_*"], targets=["budget"], continues=True),
        RouteSettings(families=["cost"], min_severity="medium", targets=["money"]),
        RouteSettings(labels={"subject": "agent:bill*"}, tenants=["t*"], targets=["tenant"]),
    ]

    def work() -> Rows:
        desk = world(alerting(*targets, routes=routes))
        cost = {"detector": "cost_budget", "family": "cost"}
        desk.hear([transition(severity="info", finding="low", **cost), transition(severity="critical", finding="big", **cost)])
        desk.hear([transition(finding="other"), transition(finding="none", severity="info", subject={"id": "x", "name": "y"})])
        desk.work()
        return [(target, id.split("-")[0]) for target, id in rows(store)]

    found = in_worker(work)
    assert {target: [f for t, f in found if t == target] for target in names} == {
        "budget": ["big", "low"], "money": ["big"], "tenant": [], "all": ["big", "low", "none", "other"], "grave": ["big"],
    }  # fmt: skip


def test_labels_come_from_the_spans_of_the_evidence(store: Store, world: Callable[..., Desk]) -> None:
    spans = pl.DataFrame({
        "trace_id": [bytes.fromhex("0a" * 16)], "span_id": [bytes.fromhex("0b" * 8)], "tenant": ["t1"], "service_name": ["shop"],
        "start_time": [AT - timedelta(minutes=5)],
    })  # fmt: skip

    def work() -> Rows:
        store.command(
            "INSERT INTO span_rows (trace_id, span_id, tenant, service_name, start_time, resource_attributes) VALUES "
            f"(unhex('{spans['trace_id'][0].hex()}'), unhex('{spans['span_id'][0].hex()}'), 't1', 'shop', '{AT:%F} 10:00:00', "
            "{'deployment.environment.name': 'production'})"
        )
        route = RouteSettings(tenants=["t1"], labels={"service": "shop", "environment": "prod*"}, targets=["ops"])
        desk = world(alerting(subscriber(URL), routes=[route]))
        desk.hear([transition(), transition(finding="fnd_2", evidence=[])])
        desk.work()
        return rows(store)

    assert in_worker(work) == [("ops", named())]


def test_a_silence_keeps_quiet_until_it_ends_and_hides_no_end(store: Store, world: Callable[..., Desk], clock: Clock) -> None:
    def kinds() -> list[str]:
        return [id.rpartition("-")[0] for _, id in rows(store)]

    def work() -> Iterator[list[str]]:
        desk = world()
        desk.hear([transition(finding="before")])
        desk.work()
        until = AT + timedelta(hours=1)
        said = silences.silence(store, {"detector": "dup*", "subject": "billing"}, "jo", "migration", until, clock())
        desk.hear([transition(finding="hidden"), transition("escalated", "critical", "before")])
        desk.work()
        yield kinds()
        desk.hear([transition("resolved", finding="before")])
        desk.work()
        yield kinds()
        assert silences.end(store, said.id, clock.put(60)) is not None
        desk.work()
        yield kinds()

    first, second, third = in_worker(lambda: list(work()))
    assert first == ["before-opened"]
    assert second == ["before-opened", "before-resolved"]
    assert third == ["before-opened", "before-resolved", "hidden-opened"]


def test_muted_and_acknowledged_findings(store: Store, world: Callable[..., Desk]) -> None:
    pager = subscriber(URL, name="pager", kind="pagerduty")

    def work() -> Rows:
        desk = world(alerting(subscriber(URL), pager))
        desk.hear([transition(finding="muted", state="muted"), transition(finding="seen")])
        desk.work()
        desk.hear([transition("acknowledged", finding="seen", state="acknowledged")])
        desk.work()
        desk.hear([transition("opened", finding="muted")])  # the mute has ended
        desk.work()
        return [(target, id.rpartition("-")[0]) for target, id in rows(store)]

    assert sorted(in_worker(work)) == [
        ("ops", "muted-opened"), ("ops", "seen-opened"),
        ("pager", "muted-opened"), ("pager", "seen-acknowledged"), ("pager", "seen-opened"),
    ]  # fmt: skip


def test_a_kind_that_a_target_does_not_want_is_kept_and_not_sent(
    store: Store, world: Callable[..., Desk], clock: Clock
) -> None:
    def work() -> list[tuple[str, str]]:
        desk = world(alerting(TargetSettings(name="ops", transitions=["opened", "reopened"])))
        for seconds, kind in enumerate(("opened", "resolved", "reopened")):
            desk.hear([transition(kind, at=clock.put(seconds))])
            desk.work()
        return store.frame("SELECT kind, state FROM outbox").rows()

    assert sorted(in_worker(work)) == [("opened", "pending"), ("reopened", "pending"), ("resolved", "unwanted")]


def test_a_target_that_is_new_hears_nothing_of_old(store: Store, world: Callable[..., Desk], clock: Clock) -> None:
    def work() -> Rows:
        save(store, transition(at=AT - timedelta(days=2), last_evidence_at=f"{AT - timedelta(minutes=1):%FT%TZ}"))
        desk = world()
        desk.work()
        later = transition("escalated", "critical", at=AT)
        save(store, later)
        world().work()
        return rows(store)

    assert [id.split("-")[1] for _, id in in_worker(work)] == ["opened"]


def test_a_silence_needs_all_that_it_says() -> None:
    with pytest.raises(DefinitionError) as raised:
        silences.silence(Store("chdb:///nowhere"), {"detector": "*"}, " ", "", AT, AT)
    assert [problem.where for problem in raised.value.problems] == ["author", "reason", "matchers", "until"]
