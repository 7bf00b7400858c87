"""Alerts against a receiver that does everything wrong, while our process is killed in between: nothing lost, nothing told twice
under a new id, nothing leaked.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from tests.e2e.harness import Program, until
from tests.e2e.story import double_refund, provider

pytestmark = pytest.mark.e2e
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_PATH = "/hook/7h3-p47h-15-s3cr3t"
_TRICKS = (
    "fail", "take", "hang", "take", "redirect", "take", "trickle", "take",
    "die_before", "take_and_die", "die_midway", "take", "throttle", "take",
)  # fmt: skip
"""Half of them take it: the pauses between attempts double, and the test must end."""
_STORIES = 8


class Receiver:
    """Takes every notification at last, after it has done something else to most of them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.played: dict[str, int] = defaultdict(int)
        self._tricks, self._lock = cycle(_TRICKS), threading.Lock()
        self.server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}{_PATH}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, id: str, body: bytes) -> str:
        """What is done to this request."""
        with self._lock:
            trick = next(self._tricks)
            self.played[trick] += 1
            if trick.startswith("take"):
                self.taken.append((id, body))
            return trick


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Webhook(_SECRET).verify(body, {k.lower(): v for k, v in self.headers.items()})
        getattr(self, f"do_{self.receiver.next(self.headers['webhook-id'], body)}")()

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_fail(self) -> None:
        self.answer(500)

    def do_hang(self) -> None:
        time.sleep(3)

    def do_redirect(self) -> None:
        self.answer(307, location="http://169.254.169.254/latest/meta-data/")

    def do_trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(20):
            time.sleep(0.2)
            self.wfile.write(b"x")

    def do_die_before(self) -> None:
        self.connection.close()

    def do_die_midway(self) -> None:
        self.wfile.write(b"HTTP/1.1 20")
        self.connection.close()

    def do_throttle(self) -> None:
        self.answer(429, retry_after="1")

    def do_take(self) -> None:
        self.answer(204)

    def do_take_and_die(self) -> None:
        self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()


def _settings(receiver: Receiver) -> str:
    return (
        "[alerts]\nresolve_wait_seconds = 0\n[[alerts.targets]]\n"
        f'name = "torturer"\nurl = "{receiver.url}"\nsecret = "{_SECRET}"\ntimeout_seconds = 1\n'
    )


def test_nothing_is_lost_and_nothing_told_twice_under_a_new_id(tmp_path: Path, receiver: Receiver) -> None:
    with Program(tmp_path / "data", toml=_settings(receiver)) as program:
        for number in range(_STORIES):
            double_refund(provider(program.where, service=f"shop-{number}"), order=f"T-{number}", conversation=f"c-{number}")
            if number % 3 == 2:
                time.sleep(1.0)
                program.kill()
                program.start()
        until(lambda: len(program.findings(detector="reexecution_duplicate_write")) >= _STORIES, "all findings are there")
        found = {f["id"] for f in program.findings(detector="reexecution_duplicate_write")}
        until(lambda: found <= {json.loads(body)["subject"] for _, body in receiver.taken}, "every finding is taken", longest=240)
        log = program.log()
        rows = program.get("/api/deliveries", limit=1000)["deliveries"]
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for id, body in receiver.taken:
        event = json.loads(body)
        assert event["id"] == id
        ids[event["subject"], event["type"]].add(id)
        bodies[id].add(body)
    assert {key: len(each) for key, each in ids.items()} == dict.fromkeys(ids, 1), "one id for each thing told"
    assert all(len(each) == 1 for each in bodies.values()), "the same id is the same text"
    errors = {row["error"] for row in rows}
    assert "answered 307, not followed" in errors and "no answer within 1 s" in errors
    for secret in (_SECRET, _SECRET[6:], _PATH, "7h3-p47h"):
        assert secret not in log and secret not in json.dumps(rows)
    assert set(receiver.played) >= {"fail", "hang", "redirect", "die_before", "die_midway", "throttle", "take"}


def test_silences_and_tests_from_the_command_line(tmp_path: Path, receiver: Receiver) -> None:
    with Program(tmp_path / "data", toml=_settings(receiver)) as program:
        data = ("--data", str(program.data))
        said = ("--author", "ann", "--reason", "migration", "--until")
        made = program.command("alerts", "silence", "detector=reexecution_*", *said, "2h", *data)
        assert made.returncode == 0 and " active until " in made.stdout, made.stderr
        silence = made.stdout.split()[0]
        double_refund(provider(program.where))
        until(lambda: bool(program.findings(detector="reexecution_duplicate_write")), "the finding is there")
        time.sleep(1)
        assert receiver.played == {}
        program.stop()
        listed = program.command("alerts", "silences", *data)
        assert listed.stdout.startswith(f"{silence}  active until ") and "detector=reexecution_*  ann: migration" in listed.stdout
        assert program.command("alerts", "unsilence", silence, *data).stdout == f"{silence} expired\n"
        for wrong in (("cost", *said, "2h"), ("detector=*", *said, "2h"), ("detector=a", *said, "soon")):
            assert program.command("alerts", "silence", *wrong, *data).returncode == 2
        program.start()
        until(lambda: bool(receiver.played), "what was silenced is told when the silence is over")
        assert "reexecution" in str(program.get("/api/alerts/notifications")) or program.get("/api/alerts")["groups"]
