"""From the outbox to a real receiver on loopback."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.analysis.alerts.conftest import SECRET, Receiver, alerting, enqueue, named, subscriber, transition

from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts.deliver import Deliverer
from actorscope.errors import DefinitionError, TransientError
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import TargetSettings


@contextmanager
def delivering(store: Store, *targets: TargetSettings, **options: Any) -> Iterator[Deliverer]:
    running = Deliverer(store, alerting(*targets), **{"chance": lambda: 0.0, **options})
    running.start()
    try:
        yield running
    finally:
        running.stop()


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def states(store: Store) -> list[tuple[str, str, int, str]]:
    """Subscriber, state, last status and last error of every row."""
    sql = "SELECT subscriber, state, last_status, last_error FROM outbox FINAL ORDER BY id, subscriber"
    return in_worker(lambda: store.frame(sql)).rows()


def settled(store: Store) -> bool:
    return bool(states(store)) and all(state != "pending" for _, state, _, _ in states(store))


def test_a_transition_is_delivered_once_signed_and_as_cloud_event(store: Store, receiver: Receiver) -> None:
    hook = subscriber(receiver.url)
    with delivering(store, hook) as running:
        enqueue(store, [hook], transition())
        running.wake()
        until(lambda: settled(store))
        enqueue(store, [hook], transition())
        running.wake()
        time.sleep(0.3)
    ((path, headers, body),) = receiver.requests
    assert (path, headers["host"]) == ("/hook?token=s3cret", f"127.0.0.1:{receiver.port}")
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == named()
    assert Webhook(SECRET).verify(body, headers)["id"] == named()
    assert states(store) == [("ops", "delivered", 204, "")]


def test_a_failed_attempt_is_repeated_with_the_same_id_and_signed_afresh(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(500, {}), (200, {})]
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition())
    start, seconds = datetime.now(UTC), iter(range(10_000))
    with delivering(store, hook, clock=lambda: start + timedelta(seconds=next(seconds))):
        until(lambda: settled(store))
    (_, first, body), (_, second, same_body) = receiver.requests
    assert first["webhook-id"] == second["webhook-id"]
    assert int(first["webhook-timestamp"]) < int(second["webhook-timestamp"])
    assert first["webhook-signature"] != second["webhook-signature"]
    assert body == same_body
    Webhook(SECRET).verify(body, second)
    log = in_worker(lambda: outbox.delivery_log(store))
    assert [(each["attempt"], each["status"], each["error"]) for each in log] == [
        (2, 200, ""),
        (1, 500, "answered 500"),
    ]


@pytest.mark.parametrize(
    ("status", "times", "error"),
    [(410, 1, "answered 410"), (404, 5, "answered 404"), (307, 5, "answered 307, not followed")],
)
def test_refusals_end_in_the_dead_letter(store: Store, receiver: Receiver, status: int, times: int, error: str) -> None:
    receiver.answers = [(status, {"location": receiver.url + "&again=1"})] * 9
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition())
    with delivering(store, hook):
        until(lambda: settled(store))
    assert [path for path, _, _ in receiver.requests] == ["/hook?token=s3cret"] * times
    assert states(store) == [("ops", "dead", status, error)]


def test_a_new_deliverer_continues_where_the_last_stopped(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(503, {"retry-after": "2"})]
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition(), transition(finding="fnd_2"))
    with delivering(store, hook):
        until(lambda: any(status == 503 for _, _, status, _ in states(store)))
    assert len(receiver.requests) == 1
    with delivering(store, hook):
        until(lambda: settled(store))
    told = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert sorted(told[1:]) == [named(), named(finding="fnd_2")]


def test_resolved_is_sent(store: Store, receiver: Receiver) -> None:
    hook = subscriber(receiver.url)
    with delivering(store, hook) as running:
        for kind, severity in (("opened", "medium"), ("escalated", "high"), ("resolved", "high")):
            enqueue(store, [hook], transition(kind, severity))
            running.wake()
            until(lambda: settled(store))
    types = [json.loads(body)["type"] for _, _, body in receiver.requests]
    assert types == [f"actorscope.finding.{kind}" for kind in ("opened", "escalated", "resolved")]


def test_redelivery_is_found_and_sent_with_the_same_id(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(410, {})]
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition())
    with delivering(store, hook) as running:
        until(lambda: settled(store))
        in_worker(lambda: outbox.redeliver(store, named(), datetime.now(UTC)))
        running.wake()
        until(lambda: states(store)[0][1] == "delivered")
    assert [headers["webhook-id"] for _, headers, _ in receiver.requests] == [named()] * 2


def test_a_receiver_that_hangs_delays_nobody_else(store: Store, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stuck = subscriber(f"http://127.0.0.1:{silent.getsockname()[1]}/", name="stuck", timeout_seconds=4.0)
        hook = subscriber(receiver.url)
        for each in (stuck, hook):
            enqueue(store, [each], transition())
        started = time.monotonic()
        with delivering(store, stuck, hook):
            until(lambda: len(receiver.requests) == 1)
            assert time.monotonic() - started < 4.0
            until(lambda: ("stuck", "pending", 0, "no answer within 4 s") in states(store))


def test_what_was_sent_is_recorded_before_more_is_sent(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, failures = outbox.record, [TransientError("store is away")]

    def flaky(*arguments: Any) -> outbox.Row:
        if failures:
            raise failures.pop()
        return record(*arguments)

    monkeypatch.setattr(outbox, "record", flaky)
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition(), transition(finding="fnd_2"))
    with delivering(store, hook) as running:
        until(lambda: len(receiver.requests) == 1)
        running.wake()
        until(lambda: settled(store))
    assert [headers["webhook-id"] for _, headers, _ in receiver.requests] == [named(), named(finding="fnd_2")]


def test_stopping_waits_for_an_open_request(store: Store, receiver: Receiver) -> None:
    receiver.answering.clear()
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition())
    with delivering(store, hook):
        until(lambda: len(receiver.requests) == 1)
        threading.Timer(0.3, receiver.answering.set).start()
    assert states(store) == [("ops", "delivered", 204, "")]


def test_a_guarded_address_is_dead_with_the_reason(store: Store) -> None:
    hook = subscriber("https://metadata.example/s3cret")
    enqueue(store, [hook], transition())
    with delivering(store, hook, resolve=lambda host, port: ["169.254.169.254"]):
        until(lambda: settled(store))
    reason = "webhook host metadata.example is at 169.254.169.254, which is not a public address"
    assert states(store) == [("ops", "dead", 0, reason)]


def test_secrets_are_neither_stored_nor_logged(
    store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver.answers = [(500, {}), (410, {})]
    hook = subscriber(receiver.url)
    enqueue(store, [hook], transition())
    with delivering(store, hook):
        until(lambda: settled(store))
    kept = in_worker(lambda: [str(store.frame(f"SELECT * FROM {t}").rows()) for t in ("outbox", "deliveries")])
    assert f"gave up alert {named()} to ops after 2 attempts: answered 410" in caplog.text
    for text in (caplog.text, *kept):
        assert SECRET[6:] not in text and "s3cret" not in text


def test_names_of_subscribers_are_unique(store: Store) -> None:
    with pytest.raises(DefinitionError, match="ops: name is used twice"):
        Deliverer(store, alerting(subscriber("https://a.example/"), subscriber("https://b.example/")))


def test_it_may_stop_at_any_moment(store: Store) -> None:
    Deliverer(store, alerting()).stop()
    idle = Deliverer(store, alerting(subscriber("https://a.example/")))
    idle.wake()
    idle.start()
    idle.stop()
    idle.wake()
