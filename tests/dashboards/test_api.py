"""The HTTP API: its routes are its OpenAPI document, its errors say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from actorscope.analysis import marks
from actorscope.analysis.answers.source import Source
from actorscope.dashboards.api import routes
from actorscope.dashboards.openapi import document
from actorscope.errors import TransientError
from actorscope.ingest.store.client import Store, in_worker

TRACE = "a1" * 16


@pytest.fixture
def client(connected: Store) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(connected, lambda: {"status": "ok"}))) as opened:
        yield opened


def test_the_document_names_every_route_and_method() -> None:
    served = {
        (r.path, m.lower()) for r in routes(Source("chdb:///nowhere"), dict) for m in r.methods or () if m != "HEAD"
    }
    told = {(path, method) for path, item in document()["paths"].items() for method in item}
    assert served == told
    for path, item in document()["paths"].items():
        for operation in item.values():
            fixed = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert fixed == {part[1:-1] for part in path.split("/") if part.startswith("{")}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/api/health", "status"),
        ("/api/attention?state=open&severity=low&severity=high", "counts"),
        ("/api/findings", "findings"),
        (f"/api/runs/{TRACE}", "spans"),
        (f"/api/runs/{TRACE.upper()}/spans/{TRACE[:14]}04", "attributes"),
        (f"/api/runs/{TRACE}/around", "links"),
        (f"/api/runs/{TRACE}/search?text=gpt", "spans"),
        (f"/api/compare?a={TRACE}&b={'b2' * 16}", "steps"),
        ("/api/fleet?hours=24", "actors"),
        ("/api/spend?last=all&limit=3", "starters"),
        ("/api/coverage?last=24h&traces=5&actor=planner", "actors"),
        ("/api/deliveries", "deliveries"),
        ("/api/openapi.json", "paths"),
    ],
)
def test_answers_are_json(client: TestClient, path: str, key: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200 and key in answer.json()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/findings/fnd_no", 404),
        (f"/api/runs/{'0c' * 16}", 404),
        (f"/api/runs/{TRACE}/spans/{'0c' * 8}", 404),
        ("/api/runs/xyz", 400),
        (f"/api/runs/{'0c' * 16}/around", 404),
        (f"/api/runs/{TRACE}/search?limit=all", 400),
        (f"/api/compare?a={TRACE}", 400),
        (f"/api/compare?a={TRACE}&b={'0c' * 16}", 404),
        ("/api/runs/" + "0" * 32, 400),
        (f"/api/runs/{TRACE}/spans/12", 400),
        ("/api/attention?severity=grave", 400),
        ("/api/attention?limit=-1", 400),
        ("/api/attention?limit=%C2%B2", 400),
        ("/api/attention?limit=" + "9" * 5000, 400),
        ("/api/fleet?hours=soon", 400),
        ("/api/spend?last=soon", 400),
        ("/api/coverage?last=soon", 400),
        ("/api/coverage?traces=100000", 400),
        ("/api/findings?state=lost", 400),
    ],
)
def test_errors_say_what_is_wrong(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert 0 < len(answer.json()["error"]) < 300


def test_coverage_is_that_of_the_actors_asked_for(client: TestClient) -> None:
    answer = client.get("/api/coverage", params={"last": "all"}).json()
    assert {a["actor_id"] for a in answer["actors"]} >= {"desk/planner", "desk/worker"} and answer["traces"] == 2
    alone = client.get("/api/coverage", params={"actor": "worker"}).json()
    assert {a["actor_id"] for a in alone["actors"]} == {"desk/planner", "desk/worker"}, "everybody in its traces"
    planner = next(a for a in alone["actors"] if a["actor_id"] == "desk/planner")
    agent = planner["questions"][0]["facts"][0]
    assert (agent["state"], agent["rules"][0]["rule"]) == ("declared", "otel_genai: gen_ai.agent.name")
    assert client.get("/api/coverage", params={"traces": 1}).json()["is_cut"] is True
    assert client.get("/api/coverage", params={"last": "1s"}).json()["actors"] == []


def test_writing_needs_a_json_body(client: TestClient) -> None:
    path = "/api/deliveries/none/redeliver"
    assert client.post(path, content="{}").status_code == 400
    assert client.post(path, content="{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post(path, json=[]).status_code == 400
    assert client.post(path, json={"subscriber": 7}).status_code == 400
    assert client.post(path, json={}).status_code == 404
    assert client.get(path).status_code == 405
    assert client.post("/api/sql", json={"sql": "DROP TABLE spans"}).status_code == 400
    assert client.post("/api/sql", json={"sql": "SELECT 1 AS one"}).json()["rows"] == [[1]]


def test_a_mark_is_written_and_wrong_ones_are_refused(client: TestClient, connected: Store) -> None:
    found = client.get("/api/findings").json()["findings"][0]
    path, mute = f"/api/findings/{found['id']}/mark", {"state": "muted", "owner": "ann", "reason": "known", "until": "3d"}
    for wrong in ({"state": "gone"}, {"owner": 7}, {"owner": ""}, {"reason": ""}, {"until": "2001-01-01"}, {"until": "soon"}):
        assert client.post(path, json={**mute, **wrong}).status_code == 400, wrong
    assert client.post("/api/findings/fnd_none/mark", json=mute).status_code == 404
    assert client.post(path, content="state=muted").status_code == 400
    assert in_worker(lambda: marks.read(connected)) == {}
    said = client.post(path, json=mute).json()
    assert (said["state"], said["owner"], said["reason"]) == ("muted", "ann", "known") and said["until"] > said["at"]
    (mark,) = in_worker(lambda: marks.read(connected)).values()
    assert mark.finding_id == found["id"]
    assert client.post(path, json={**mute, "state": "open"}).json()["state"] == "open"


def test_a_store_that_does_not_answer_is_a_503(
    client: TestClient, connected: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any, **named: Any) -> None:
        raise TransientError("the store is away")

    monkeypatch.setattr(connected, "named", fail)
    answer = client.get("/api/fleet")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
