"""The outbox: who is told what, once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.analysis.alerts.conftest import subscriber, transition

from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.verdict import Verdict
from actorscope.ingest.store.client import Store, in_worker

URL = "https://hooks.example/"
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def ids(store: Store, name: str = "ops") -> list[str]:
    return [row.id for row in in_worker(lambda: outbox.waiting(store, name, 100))]


@pytest.mark.parametrize("kind", ["opened", "escalated", "resolved"])
def test_each_subscriber_hears_what_reaches_its_severity(store: Store, kind: str) -> None:
    subscribers = [subscriber(URL, name="all", min_severity="info"), subscriber(URL, name="grave", min_severity="high")]
    told = [transition(kind, severity, f"fnd_{severity}") for severity in ("info", "medium", "high", "critical")]
    assert in_worker(lambda: outbox.enqueue(store, subscribers, told, "")) == 6
    assert sorted(ids(store, "all")) == sorted(each["id"] for each in told)
    assert sorted(ids(store, "grave")) == [f"fnd_critical-{kind}", f"fnd_high-{kind}"]


def test_updates_are_not_told(store: Store) -> None:
    assert in_worker(lambda: outbox.enqueue(store, [subscriber(URL)], [transition("updated")], "")) == 0
    assert ids(store) == []


@pytest.mark.parametrize("state", ["delivered", "dead"])
def test_what_was_told_is_not_told_again(store: Store, state: str) -> None:
    def work() -> list[list[str]]:
        outbox.enqueue(store, [subscriber(URL)], [transition()], "")
        outbox.enqueue(store, [subscriber(URL)], [transition()], "")
        seen = [ids(store)]
        (row,) = outbox.waiting(store, "ops", 10)
        outbox.record(store, row, Attempt(NOW, 204, 12), Verdict(state, NOW))
        outbox.enqueue(store, [subscriber(URL)], [transition()], "")
        store.command("OPTIMIZE TABLE outbox FINAL")
        outbox.enqueue(store, [subscriber(URL)], [transition()], "")
        return [*seen, ids(store)]

    assert in_worker(work) == [["fnd_1-opened"], []]


def test_redelivery_starts_a_new_round_and_keeps_the_id(store: Store) -> None:
    def work() -> tuple[int, int, list[outbox.Row]]:
        outbox.enqueue(store, [subscriber(URL), subscriber(URL, name="two")], [transition()], "")
        for name in ("ops", "two"):
            (row,) = outbox.waiting(store, name, 10)
            outbox.record(store, row, Attempt(NOW, 410, 12, "answered 410"), Verdict("dead", NOW))
        unknown = outbox.redeliver(store, "fnd_9-opened", NOW)
        return unknown, outbox.redeliver(store, "fnd_1-opened", NOW, "two"), outbox.waiting(store, "two", 10)

    unknown, count, (row,) = in_worker(work)
    assert (unknown, count) == (0, 1)
    assert (row.id, row.attempts, row.next_attempt_at, row.version) == ("fnd_1-opened", 0, NOW, 2)
    assert ids(store) == []


def test_the_log_shows_attempts_and_the_present_state(store: Store) -> None:
    def work() -> list[dict[str, object]]:
        outbox.enqueue(store, [subscriber(URL)], [transition()], "")
        (row,) = outbox.waiting(store, "ops", 10)
        row = outbox.record(store, row, Attempt(NOW, 500, 12, "answered 500"), Verdict("pending", NOW))
        outbox.record(store, row, Attempt(NOW.replace(second=5), 204, 3), Verdict("delivered", NOW))
        assert len(outbox.delivery_log(store, 1)) == 1
        return outbox.delivery_log(store, 10)

    newest, oldest = in_worker(work)
    assert newest == {
        **{"at": NOW.replace(second=5), "id": "fnd_1-opened", "subscriber": "ops", "kind": "opened"},
        **{"finding_id": "fnd_1", "attempt": 2, "status": 204, "latency_ms": 3, "error": "", "state": "delivered"},
        "next_attempt_at": NOW,
    }
    assert (oldest["attempt"], oldest["status"], oldest["error"]) == (1, 500, "answered 500")
