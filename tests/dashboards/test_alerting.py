"""The API about alerts: what targets there are and how they fare, tests, silences, dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tests.analysis.alerts.conftest import Receiver, alerting, receiver, subscriber

from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts.desk import Desk
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.verdict import Verdict
from actorscope.dashboards.api import routes
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import AlertSettings, RouteSettings

__all__ = ["receiver"]
NOW = datetime.now(UTC)


@pytest.fixture
def settings(receiver: Receiver) -> AlertSettings:
    silent = subscriber("http://127.0.0.1:1/s3cret", name="silent", min_severity="critical")
    return alerting(subscriber(receiver.url, min_severity="info"), silent, routes=[RouteSettings(targets=["silent"])])


@pytest.fixture
def client(connected: Store, settings: AlertSettings) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(connected, lambda: {"status": "ok"}, settings, lambda: "http://here"))) as opened:
        yield opened


@pytest.fixture
def told(connected: Store, settings: AlertSettings) -> str:
    """The id of a notification that was given up."""

    def work() -> str:
        desk = Desk(connected, settings)
        desk._since = {"ops": datetime(2020, 1, 1, tzinfo=UTC), "silent": NOW}
        desk.work()
        row = outbox.waiting(connected, "ops", 10)[0]
        outbox.record(connected, row, Attempt(datetime.now(UTC), 410, 7, "answered 410"), Verdict("dead", datetime.now(UTC)))
        return row.id

    return in_worker(work)


def test_the_overview_says_how_every_target_fares(client: TestClient, told: str) -> None:
    answer = client.get("/api/alerts").json()
    ops, silent = answer["targets"]
    assert (ops["name"], ops["kind"], ops["state"], ops["dead"], ops["last_error"]) == ("ops", "generic", "failing", 1, "answered 410")
    assert (silent["state"], silent["routes"], silent["delivered_at"]) == ("idle", 1, None)
    assert len(answer["groups"]) == 2 and answer["groups"][0]["findings"][0].startswith("fnd_")
    assert answer["pace"]["urgent"] == "high" and answer["silences"] == []
    assert "s3cret" not in str(answer) and "whsec_" not in str(answer)


def test_dead_letters_are_listed_and_sent_again(client: TestClient, told: str) -> None:
    path = "/api/alerts/notifications"
    assert [row["id"] for row in client.get(path, params={"state": "dead", "target": "ops"}).json()["notifications"]] == [told]
    assert client.get(path, params={"state": "lost"}).status_code == 400
    assert client.get("/api/deliveries").json()["deliveries"][0]["error"] == "answered 410"
    assert client.post(f"/api/deliveries/{told}/redeliver", json={"subscriber": "silent"}).status_code == 404
    assert client.post(f"/api/deliveries/{told}/redeliver", json={}).json() == {"queued": 1}
    assert client.get(path, params={"state": "dead"}).json()["notifications"] == []


def test_the_test_button_says_what_came_back(client: TestClient, receiver: Receiver) -> None:
    answer = client.post("/api/alerts/targets/ops/test", json={}).json()
    assert (answer["is_delivered"], answer["status"]) == (True, 204) and b"http://here/" in receiver.requests[0][2]
    answer = client.post("/api/alerts/targets/silent/test", json={}).json()
    assert answer["is_delivered"] is False and answer["error"].startswith("ConnectError") and "s3cret" not in str(answer)
    assert client.post("/api/alerts/targets/nobody/test", json={}).status_code == 404
    assert client.post("/api/alerts/targets/ops/test", content="{}").status_code == 400


def test_silences_are_made_listed_and_ended(client: TestClient) -> None:
    said: dict[str, Any] = {"matchers": {"detector": "cost_*"}, "author": "ann", "reason": "migration", "until": "2h"}
    wrongs: tuple[dict[str, Any], ...] = (
        {"matchers": {}}, {"matchers": {"detector": 7}}, {"matchers": []},
        {"author": ""}, {"reason": " "}, {"until": "soon"}, {"until": ""},
    )  # fmt: skip
    for wrong in wrongs:
        assert client.post("/api/silences", json={**said, **wrong}).status_code == 400, wrong
    made = client.post("/api/silences", json=said).json()
    later = client.post("/api/silences", json={**said, "start": "1h"}).json()
    assert (made["state"], later["state"], made["matchers"]) == ("active", "pending", {"detector": "cost_*"})
    assert {s["id"] for s in client.get("/api/silences").json()["silences"]} == {made["id"], later["id"]}
    assert client.post(f"/api/silences/{made['id']}/end", json={}).json()["state"] == "expired"
    assert client.post("/api/silences/sil_none/end", json={}).status_code == 404


def test_a_pager_is_tested_and_let_go(client: TestClient, receiver: Receiver, settings: AlertSettings) -> None:
    from actorscope.analysis.alerts.send import send_test

    pager = subscriber(receiver.url, kind="pagerduty", secret=SecretStr("k" * 32))
    assert send_test(pager, settings, "").status == 204
    assert [b'"event_action":"resolve"' in body for _, _, body in receiver.requests] == [False, True]
