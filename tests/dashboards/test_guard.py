"""Foreign names and foreign pages are refused; everybody else is let through."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from actorscope.dashboards.guard import Guard


async def _hello(request: Any) -> PlainTextResponse:
    return PlainTextResponse("hello")


def _client(base: str, *hosts: str) -> TestClient:
    app = Starlette(routes=[Route("/", _hello, methods=["GET", "POST"])])
    return TestClient(Guard(app, hosts), base_url=base)


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "[::1]:8501", "127.8.8.8", "dev.localhost:80"])
def test_names_of_this_machine_are_served(host: str) -> None:
    assert _client("http://127.0.0.1").get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1", "[", "localhost@evil.example"]
)
def test_a_foreign_name_on_loopback_is_refused(host: str) -> None:
    assert _client("http://127.0.0.1").get("/", headers={"Host": host}).status_code == 403


def test_a_name_that_was_configured_is_served_on_loopback() -> None:
    assert _client("http://127.0.0.1", "scope.corp").get("/", headers={"Host": "scope.corp"}).status_code == 200


def test_any_name_is_served_when_not_on_loopback() -> None:
    assert _client("http://10.0.0.1").get("/", headers={"Host": "scope.corp"}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:9999", 403),
        ("https://scope.corp", 200),
    ],
)
def test_a_post_comes_from_our_own_pages_or_from_no_page(origin: str, status: int) -> None:
    client = _client("http://127.0.0.1", "scope.corp")
    assert client.post("/", headers={"Origin": origin}).status_code == status
    assert client.post("/").status_code == 200
