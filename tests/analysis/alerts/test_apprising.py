"""What goes through Apprise: a real mail on loopback, and that the guard stands before it."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_string, policy

import pytest
from pydantic import SecretStr
from tests.analysis.alerts.conftest import Receiver
from tests.analysis.alerts.test_targets import heard, note

from actorscope.analysis.alerts import guard
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.send import send
from actorscope.settings import AlertSettings, TargetSettings

NOW = datetime.now(UTC)


def tell(url: str, title: str = "billing repeated refund", resolve: guard.Resolve = guard.resolve, timeout: float = 60.0) -> Attempt:
    target = TargetSettings(name="mail", kind="apprise", url=SecretStr(url), timeout_seconds=timeout)
    return asyncio.run(send(target, note("opened", [heard(title=title)]), AlertSettings(), NOW, resolve))


@contextmanager
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """The port of an SMTP server that takes one mail, and what it took."""
    taken: list[str] = []

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 here\r\n")
            for line in lines:
                verb = line.split()[0].upper()
                if verb == b"DATA":
                    lines.write(b"354 go on\r\n")
                    body = b""
                    while not body.endswith(b"\r\n.\r\n"):
                        body += lines.readline()
                    taken.append(body[:-5].decode())
                lines.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 yes\r\n")
                if verb == b"QUIT":
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1], taken
        thread.join(5)


def test_a_mail_arrives_with_its_text_as_text() -> None:
    with mailbox() as (port, taken):
        url = f"mailto://127.0.0.1:{port}?from=scope@example.org&to=ops@example.org&smtp=127.0.0.1"
        attempt = tell(url, "<b>bold</b> **refund**")
    assert (attempt.status, attempt.error) == (200, "")
    mail = message_from_string(taken[0], policy=policy.default)
    assert str(mail["subject"]) == "New: <b>bold</b> **refund**"
    page = mail.get_body(("html",))
    assert page is None or "<b>bold</b>" not in page.get_content()
    text = (mail.get_body(("plain",)) or page).get_content()
    assert "Severity: high" in text and "https://scope.example/?finding=fnd_1" in text and "PROMPT" not in text


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(302, {"location": receiver.url})]
    assert tell(f"ntfy://127.0.0.1:{receiver.port}/topic").status == 0
    assert len(receiver.requests) == 1


def test_an_answer_that_refuses_is_tried_again(receiver: Receiver) -> None:
    receiver.answers = [(500, {}), (200, {})]
    url = f"ntfy://127.0.0.1:{receiver.port}/topic"
    refused, taken = tell(url), tell(url)
    assert (refused.status, refused.error, refused.is_refused) == (0, "apprise: was not taken", False)
    assert (taken.status, taken.error) == (200, "")


@pytest.mark.parametrize(
    ("url", "address", "error"),
    [
        ("ntfys://inside.example/s3cret", "10.0.0.7", "apprise: inside.example is at 10.0.0.7, which is not a public address"),
        ("ntfy://example.org/s3cret", "93.184.216.34", "apprise: example.org is not loopback and would be spoken to unencrypted"),
        ("ntfys://169.254.169.254/s3cret", "", "apprise: 169.254.169.254 is at 169.254.169.254, which is not a public address"),
        ("mailtos://u:s3cret@example.org?smtp=inside.example", "192.168.1.1",
         "apprise: inside.example is at 192.168.1.1, which is not a public address"),
        ("json://93.184.216.34/s3cret", "", "apprise: scheme 'json' is not allowed"),
        ("file:///etc/passwd", "", "apprise: scheme 'file' is not allowed"),
    ],
)
def test_the_guard_stands_before_it(url: str, address: str, error: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    attempt = tell(url, resolve=lambda host, port: [address])
    assert (attempt.status, attempt.error, attempt.is_refused) == (0, error, True)
    assert "s3cret" not in caplog.text


def test_one_that_hangs_is_left_at_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        attempt = tell(f"ntfy://user:s3cret@127.0.0.1:{silent.getsockname()[1]}/topic", timeout=0.5)
    assert attempt.status == 0 and attempt.error in ("no answer within 0.5 s", "apprise: was not taken")
    assert "s3cret" not in caplog.text


def test_what_has_not_begun_at_the_deadline_is_not_sent(receiver: Receiver) -> None:
    """It is tried again, and would arrive twice."""
    looked_up = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        looked_up.wait(2)
        return ["127.0.0.1"]

    attempt = tell(f"ntfy://localhost:{receiver.port}/topic", resolve=slow, timeout=0.5)
    looked_up.set()
    assert attempt.error == "no answer within 0.5 s"
    for thread in threading.enumerate():
        if thread.name == "apprise-mail":
            thread.join(10)
    assert receiver.requests == []
