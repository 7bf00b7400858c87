"""The outbox: who is told what, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.plan import Told
from actorscope.analysis.alerts.verdict import Verdict
from actorscope.ingest.store.client import Store, in_worker

NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def write(store: Store, target: str = "ops", kind: str = "opened", at: datetime = NOW) -> outbox.Row:
    told = Told(kind, at, "high", {"fnd_1": "high"})
    row = outbox.first(target, f"fnd_1-{kind}", kind, "fnd_1", "group", "{}", told, is_wanted=True)
    outbox.write(store, [row])
    return row


def ids(store: Store, name: str = "ops") -> list[str]:
    return [row.id for row in in_worker(lambda: outbox.waiting(store, name, 100))]


@pytest.mark.parametrize("state", ["delivered", "dead"])
def test_what_was_told_is_not_told_again(store: Store, state: str) -> None:
    def work() -> list[list[str]]:
        write(store)
        write(store)
        seen = [ids(store)]
        (row,) = outbox.waiting(store, "ops", 10)
        outbox.record(store, row, Attempt(NOW, 204, 12), Verdict(state, NOW))
        write(store)
        store.command("OPTIMIZE TABLE outbox FINAL")
        write(store)
        return [*seen, ids(store)]

    assert in_worker(work) == [["fnd_1-opened"], []]


def test_redelivery_starts_a_new_round_and_keeps_the_id(store: Store) -> None:
    def work() -> tuple[int, int, list[outbox.Row]]:
        write(store)
        write(store, "two")
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
        write(store)
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


def test_nobody_hears_of_an_end_before_the_beginning(store: Store) -> None:
    def work() -> list[list[str]]:
        write(store)
        write(store, kind="resolved", at=NOW + timedelta(seconds=1))
        (row,) = outbox.waiting(store, "ops", 10)
        outbox.record(store, row, Attempt(NOW, 500, 12, "answered 500"), Verdict("pending", NOW + timedelta(hours=1)))
        seen = [[row.id for row in outbox.waiting(store, "ops", 10)]]
        (row,) = outbox.waiting(store, "ops", 10)
        outbox.record(store, row, Attempt(NOW, 204, 12), Verdict("delivered", NOW))
        return [*seen, [row.id for row in outbox.waiting(store, "ops", 10)]]

    assert in_worker(work) == [["fnd_1-opened"], ["fnd_1-resolved"]]


def test_the_newest_row_of_a_group_is_what_its_target_knows(store: Store) -> None:
    def work() -> dict[tuple[str, str], Told]:
        write(store)
        (row,) = outbox.waiting(store, "ops", 10)
        outbox.record(store, row, Attempt(NOW, 204, 12), Verdict("delivered", NOW))
        write(store, "two")
        write(store, kind="escalated", at=NOW + timedelta(milliseconds=1))
        return outbox.told(store, NOW + timedelta(days=9))

    assert {key: told.kind for key, told in in_worker(work).items()} == {("ops", "group"): "escalated", ("two", "group"): "opened"}
    in_worker(lambda: write(store, kind="resolved", at=NOW + timedelta(seconds=1)))
    assert [target for target, _ in in_worker(lambda: outbox.told(store, NOW + timedelta(days=9)))] == ["two"]
    assert len(in_worker(lambda: outbox.told(store, NOW + timedelta(days=1)))) == 2


def test_lists_by_state_and_the_health_of_each_target(store: Store) -> None:
    def work() -> tuple[list[str], list[dict[str, object]]]:
        write(store)
        (row,) = outbox.waiting(store, "ops", 10)
        outbox.record(store, row, Attempt(NOW, 410, 12, "answered 410"), Verdict("dead", NOW))
        write(store, "two")
        dead = [f"{row['id']} {row['last_error']}" for row in outbox.notifications(store, "dead")]
        return dead, outbox.health(store, NOW - timedelta(hours=1)).to_dicts()

    dead, (ops, two) = in_worker(work)
    assert dead == ["fnd_1-opened answered 410"]
    assert (ops["dead"], ops["dead_lately"], ops["pending"], ops["last_error"]) == (1, 1, 0, "answered 410")
    assert (two["dead"], two["pending"]) == (0, 1)


def test_what_was_told_long_ago_is_forgotten_and_never_told_again(store: Store) -> None:
    long_ago, lately = datetime.now(UTC) - timedelta(days=401), datetime.now(UTC) - timedelta(days=300)

    def work() -> tuple[list[str], list[str], int]:
        for kind, at in (("opened", long_ago), ("escalated", lately)):
            outbox.record(store, write(store, kind=kind, at=at), Attempt(at, 204, 12), Verdict("delivered", at))
        store.command("OPTIMIZE TABLE outbox FINAL")
        store.command("OPTIMIZE TABLE deliveries FINAL")
        kept = store.frame("SELECT DISTINCT id FROM outbox")["id"].to_list()
        return kept, ids(store), store.frame("SELECT count() AS n FROM deliveries")["n"].item()

    assert in_worker(work) == (["fnd_1-escalated"], [], 0)
