"""From the outbox to a real receiver on loopback."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook
from tests.analysis.alerts.conftest import SECRET, Receiver, subscriber, transition

from actorscope.analysis.alerts import deliver, outbox
from actorscope.analysis.alerts.deliver import Deliverer, send_test, signed_headers
from actorscope.errors import DefinitionError, TransientError
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import WebhookSettings


@contextmanager
def delivering(store: Store, *subscribers: WebhookSettings, **options: Any) -> Iterator[Deliverer]:
    running = Deliverer(store, list(subscribers), **{"chance": lambda: 0.0, **options})
    running.start()
    try:
        yield running
    finally:
        running.stop()


def enqueue(store: Store, hook: WebhookSettings, *transitions: dict[str, Any]) -> None:
    in_worker(lambda: outbox.enqueue(store, [hook], transitions, "https://scope.example"))


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
        enqueue(store, hook, transition())
        running.wake()
        until(lambda: settled(store))
        enqueue(store, hook, transition())
        running.wake()
        time.sleep(0.3)
    ((path, headers, body),) = receiver.requests
    assert (path, headers["host"]) == ("/hook?token=s3cret", f"127.0.0.1:{receiver.port}")
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == "fnd_1-opened"
    assert Webhook(SECRET).verify(body, headers)["id"] == "fnd_1-opened"
    assert states(store) == [("ops", "delivered", 204, "")]


def test_a_failed_attempt_is_repeated_with_the_same_id_and_signed_afresh(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(500, {}), (200, {})]
    hook = subscriber(receiver.url)
    enqueue(store, hook, transition())
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
    enqueue(store, hook, transition())
    with delivering(store, hook):
        until(lambda: settled(store))
    assert [path for path, _, _ in receiver.requests] == ["/hook?token=s3cret"] * times
    assert states(store) == [("ops", "dead", status, error)]


def test_a_new_deliverer_continues_where_the_last_stopped(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(503, {"retry-after": "2"})]
    hook = subscriber(receiver.url)
    enqueue(store, hook, transition(), transition("resolved", finding="fnd_2"))
    with delivering(store, hook):
        until(lambda: any(status == 503 for _, _, status, _ in states(store)))
    assert len(receiver.requests) == 1
    with delivering(store, hook):
        until(lambda: settled(store))
    told = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert sorted(told[1:]) == ["fnd_1-opened", "fnd_2-resolved"]


def test_resolved_is_sent(store: Store, receiver: Receiver) -> None:
    hook = subscriber(receiver.url)
    with delivering(store, hook) as running:
        for kind in ("opened", "escalated", "resolved"):
            enqueue(store, hook, transition(kind))
            running.wake()
            until(lambda: settled(store))
    types = [json.loads(body)["type"] for _, _, body in receiver.requests]
    assert types == [f"actorscope.finding.{kind}" for kind in ("opened", "escalated", "resolved")]


def test_redelivery_is_found_and_sent_with_the_same_id(store: Store, receiver: Receiver) -> None:
    receiver.answers = [(410, {})]
    hook = subscriber(receiver.url)
    enqueue(store, hook, transition())
    with delivering(store, hook) as running:
        until(lambda: settled(store))
        in_worker(lambda: outbox.redeliver(store, "fnd_1-opened", datetime.now(UTC)))
        running.wake()
        until(lambda: states(store)[0][1] == "delivered")
    assert [headers["webhook-id"] for _, headers, _ in receiver.requests] == ["fnd_1-opened"] * 2


def test_a_receiver_that_hangs_delays_nobody_else(store: Store, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stuck = subscriber(f"http://127.0.0.1:{silent.getsockname()[1]}/", name="stuck", timeout_seconds=1.0)
        hook = subscriber(receiver.url)
        for each in (stuck, hook):
            enqueue(store, each, transition())
        started = time.monotonic()
        with delivering(store, stuck, hook):
            until(lambda: len(receiver.requests) == 1)
            assert time.monotonic() - started < 1.0
            until(lambda: ("stuck", "pending", 0, "no answer within 1 s") in states(store))


@pytest.mark.parametrize(
    ("beginning", "status", "error"),
    [(b"HTTP/1.1 20", 0, "no answer within 0.5 s"), (b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n", 200, "")],
)
@pytest.mark.parametrize("piece", [b"0", b"0" * 4096])
def test_an_endless_answer_ends(beginning: bytes, status: int, error: str, piece: bytes) -> None:
    done = threading.Event()

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(beginning)
            while not done.wait(0.01):
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        started = time.monotonic()
        attempt = send_test(subscriber(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_seconds=0.5), "")
        done.set()
        thread.join()
    assert attempt.status == status
    assert attempt.error == error or (len(piece) > 1 and attempt.error.startswith("RemoteProtocolError"))
    assert time.monotonic() - started < 3


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
    enqueue(store, hook, transition(), transition(finding="fnd_2"))
    with delivering(store, hook) as running:
        until(lambda: len(receiver.requests) == 1)
        running.wake()
        until(lambda: settled(store))
    assert [headers["webhook-id"] for _, headers, _ in receiver.requests] == ["fnd_1-opened", "fnd_2-opened"]


def test_stopping_waits_for_an_open_request(store: Store, receiver: Receiver) -> None:
    receiver.answering.clear()
    hook = subscriber(receiver.url)
    enqueue(store, hook, transition())
    with delivering(store, hook):
        until(lambda: len(receiver.requests) == 1)
        threading.Timer(0.3, receiver.answering.set).start()
    assert states(store) == [("ops", "delivered", 204, "")]


def test_a_guarded_address_is_dead_with_the_reason(store: Store) -> None:
    hook = subscriber("https://metadata.example/s3cret")
    enqueue(store, hook, transition())
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
    enqueue(store, hook, transition())
    with delivering(store, hook):
        until(lambda: settled(store))
    kept = in_worker(lambda: [str(store.frame(f"SELECT * FROM {t}").rows()) for t in ("outbox", "deliveries")])
    assert "gave up alert fnd_1-opened to ops after 2 attempts: answered 410" in caplog.text
    for text in (caplog.text, *kept):
        assert SECRET[6:] not in text and "s3cret" not in text


def test_send_test_tells_what_came(receiver: Receiver) -> None:
    attempt = send_test(subscriber(receiver.url), "https://scope.example")
    ((_, headers, body),) = receiver.requests
    assert (attempt.status, attempt.error) == (204, "")
    assert Webhook(SECRET).verify(body, headers)["type"] == "actorscope.test"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert send_test(subscriber(f"http://127.0.0.1:{port}/"), "").error.startswith("ConnectError")


def test_two_secrets_sign_twice_and_bad_ones_are_not_quoted(tmp_path: Path) -> None:
    other = "whsec_" + "QUJD" * 8
    headers = signed_headers(f"{SECRET} {other}", "id", "{}", datetime.now(UTC))
    for secret in (SECRET, other):
        Webhook(secret).verify("{}", headers)
    for secret in ("whsec_!a", "", "whsec_"):
        attempt = send_test(subscriber("http://127.0.0.1:1/", secret=SecretStr(secret)), "")
        assert "webhook secret" in attempt.error and not attempt.is_refused and "!a" not in attempt.error
    assert "cannot read the secret" in send_test(subscriber("http://127.0.0.1:1/", secret_file=tmp_path), "").error


def test_names_of_subscribers_are_unique(store: Store) -> None:
    with pytest.raises(DefinitionError, match="ops: name is used twice"):
        Deliverer(store, [subscriber("https://a.example/"), subscriber("https://b.example/")])


def test_it_may_stop_at_any_moment(store: Store) -> None:
    Deliverer(store, []).stop()
    idle = Deliverer(store, [subscriber("https://a.example/")])
    idle.wake()
    idle.start()
    idle.stop()
    idle.wake()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
@pytest.mark.parametrize(("named", "status"), [("localhost", 204), ("elsewhere.example", 0)])
def test_the_certificate_must_carry_the_name_although_the_address_is_dialled(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, status: int
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-keyout", key, "-out", certificate, "-subj", f"/CN={named}", "-addext", f"subjectAltName=DNS:{named}"],
        check=True,
        capture_output=True,
    )
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    monkeypatch.setattr(deliver, "_tls", lambda: ssl.create_default_context(cafile=str(certificate)))
    receiver.wrap(served)
    attempt = send_test(subscriber(f"https://localhost:{receiver.port}/", timeout_seconds=3.0), "")
    assert attempt.status == status, attempt.error
    assert status or "CERTIFICATE_VERIFY_FAILED" in attempt.error
