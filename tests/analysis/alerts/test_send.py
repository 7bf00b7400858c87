"""One attempt: signature, deadline, TLS."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook
from tests.analysis.alerts.conftest import SECRET, Receiver, subscriber

from actorscope.analysis.alerts import send as sending
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.sign import signed_headers
from actorscope.settings import AlertSettings, TargetSettings


def send_test(target: TargetSettings, public_url: str) -> Attempt:
    return sending.send_test(target, AlertSettings(), public_url)


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
    monkeypatch.setattr(sending, "_tls", lambda: ssl.create_default_context(cafile=str(certificate)))
    receiver.wrap(served)
    attempt = send_test(subscriber(f"https://localhost:{receiver.port}/", timeout_seconds=3.0), "")
    assert attempt.status == status, attempt.error
    assert status or "CERTIFICATE_VERIFY_FAILED" in attempt.error
