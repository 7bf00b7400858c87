"""A store, a receiver on loopback, and findings to tell about."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from actorscope.analysis.alerts.desk import Desk
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import AlertSettings, TargetSettings

# Yesterday: what is too old the store forgets.
AT = datetime.now(UTC).replace(hour=10, minute=5, second=0, microsecond=0) - timedelta(days=1)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """Keeps what came; answers with `answers` in turn, then 204."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    wrap: Callable[[ssl.SSLContext], None] = field(default=lambda context: None)
    """Speak TLS from now on."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=s3cret"


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.receiver.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.receiver.answering.wait(30)
        status, headers = self.receiver.answers.pop(0) if self.receiver.answers else (204, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()
    kept.answering.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": kept}))
    kept.port = server.server_port

    def wrap(context: ssl.SSLContext) -> None:
        server.socket = context.wrap_socket(server.socket, server_side=True)

    kept.wrap = wrap
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield kept
    kept.answering.set()
    server.shutdown()
    thread.join()
    server.server_close()


def subscriber(url: str, **changes: Any) -> TargetSettings:
    values = {"name": "ops", "url": SecretStr(url), "secret": SecretStr(SECRET), "min_severity": "medium", "timeout_seconds": 5.0}
    return TargetSettings(**{**values, **changes})


def alerting(*targets: TargetSettings, **changes: Any) -> AlertSettings:
    """Settings by which everything is told at once."""
    at_once = dict.fromkeys(("group_wait_seconds", "group_interval_seconds", "resolve_wait_seconds"), 0)
    return AlertSettings(**{**at_once, "targets": list(targets), **changes})


def enqueue(store: Store, targets: list[TargetSettings], *transitions: dict[str, Any]) -> None:
    """Let a new desk hear of these, one after another, as the analysis would tell them."""

    def work() -> None:
        desk = Desk(store, alerting(*targets), lambda: "https://scope.example")
        desk._since = {target.name: datetime(2026, 1, 1, tzinfo=UTC) for target in targets}
        for each in transitions:
            desk.hear([each])
            desk.work()

    in_worker(work)


def named(kind: str = "opened", finding: str = "fnd_1", at: datetime = AT) -> str:
    """The id of what is told at once of a finding."""
    return f"{finding}-{kind}-{int(at.timestamp() * 1000)}"


def transition(
    kind: str = "opened", severity: str = "high", finding: str = "fnd_1", at: datetime | None = None, **changes: Any
) -> dict[str, Any]:
    """A transition of a finding whose texts must not leave the house."""
    at = at or AT
    told = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "id": f"{finding}-{kind}",
        "finding_id": finding,
        "kind": kind,
        "severity": severity,
        "at": at,
        "finding": {
            **{"id": finding, "detector": "duplicate_effect", "family": "reexecution", "rule": "same_arguments"},
            **{"severity": severity, "confidence": 0.9, "state": "resolved" if kind == "resolved" else "open"},
            **{"title": "billing repeated refund", "subject": {"id": "agent:billing", "name": "billing"}},
            **{"opened_at": f"{AT:%F}T10:00:00.000000Z", "updated_at": told},
            "first_evidence_at": f"{AT:%F}T09:59:00.000000Z",
            "last_evidence_at": f"{AT:%F}T10:04:00.000000Z",
            "count": 3,
            "evidence": [
                {"trace_id": "0a" * 16, "span_id": "0b" * 8, "role": "repeat", "why": "PROMPT TEXT"},
                {"trace_id": "0a" * 16, "span_id": "0b" * 8, "role": "context", "why": "TOOL ARGUMENT"},
                {"trace_id": "0c" * 16, "span_id": "0d" * 8, "role": "first", "why": "PROMPT TEXT"},
            ],
            **{"baseline": {"secret": "BASELINE"}, "counterfactual": "COUNTERFACTUAL"},
            "impact": {"cost_usd": 1.25, "target": "TARGET"},
            **{"basis": "declared", "caveats": ["CAVEAT"], "fingerprint": f"print of {finding}", "next_step": "NEXT"},
            **{"resolution": "", "occurrences": [], "root": "", "reopened": []},
            **changes,
        },
    }
