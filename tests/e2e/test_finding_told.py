"""A finding reaches people: the API, the command line, and a signed webhook that survives a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from tests.e2e.harness import Program, until
from tests.e2e.story import double_refund, provider

pytestmark = pytest.mark.e2e
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """A webhook receiver on loopback that first is out of order for a while."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.is_broken = False
        self.refused = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if receiver.is_broken:
                    receiver.refused += 1
                else:
                    receiver.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(500 if receiver.is_broken else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()


def _toml(receiver: Receiver) -> str:
    return f'[[alerts.webhooks]]\nname = "pager"\nurl = "{receiver.url}"\nsecret = "{_SECRET}"\n'


def test_a_finding_is_seen_by_api_and_command_and_arrives_signed(tmp_path: Path, receiver: Receiver) -> None:
    with Program(tmp_path / "data", toml=_toml(receiver)) as program:
        trace_id = double_refund(provider(program.where))
        until(lambda: bool(receiver.heard), "the webhook is called")
        headers, body = receiver.heard[0]
        Webhook(_SECRET).verify(body, headers)
        event = json.loads(body)
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert event["specversion"] == "1.0" and event["id"] == headers["webhook-id"]
        assert "Please refund" not in body.decode(), "alerts carry no prompt text"
        (finding,) = program.findings(detector="reexecution_duplicate_write")
        assert finding["id"] == event["subject"]
        assert finding["severity"] == "high" and finding["state"] == "open" and finding["count"] == 1
        assert [o["trace_id"] for o in finding["occurrences"]] == [trace_id]
        assert {e["trace_id"] for e in finding["evidence"]} == {trace_id}
        assert finding["evidence"][0]["role"].startswith("context")
        table = program.command("findings", "--data", str(program.data), "--json", "--severity", "high")
        assert table.returncode == 0, table.stderr
        assert [json.loads(line)["id"] for line in table.stdout.splitlines()] == [finding["id"]]


def test_an_undelivered_alert_is_delivered_once_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    receiver.is_broken = True
    with Program(tmp_path / "data", toml=_toml(receiver)) as program:
        double_refund(provider(program.where, over_http=True))
        until(lambda: receiver.refused > 0, "the first delivery is tried")
        program.kill()
        receiver.is_broken = False
        program.start()
        until(lambda: bool(receiver.heard), "the alert is delivered after the restart")
        double_refund(provider(program.where), order="B-2", conversation="c-2")
        until(lambda: len(receiver.heard) >= 2, "a second finding is delivered")
        ids = [headers["webhook-id"] for headers, _ in receiver.heard]
        assert len(ids) == len(set(ids)) == 2
