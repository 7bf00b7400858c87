"""Roles of people and of tokens: who may look, who may act, and that a stranger may neither."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from actorscope.dashboards import data
from actorscope.dashboards.access import Access, access, reaches, secrets_file
from actorscope.dashboards.api import routes
from actorscope.errors import DefinitionError
from actorscope.ingest.store.client import Store
from actorscope.settings import ApiTokenSettings, LoginSettings, UiSettings, load
from actorscope.tokens import digest, new_token

PEOPLE = {"viewer": (), "responder": ("ann@example.org", "@oncall.example"), "admin": ("root@example.org",)}
LOGIN = {"metadata_url": "https://id.example/.well-known/openid-configuration", "client_id": "explorer", "client_secret": "s\"\n"}


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({}, ""),
        ({"is_logged_in": False, "email": "root@example.org"}, ""),
        ({"is_logged_in": True, "email": "root@example.org"}, "admin"),
        ({"is_logged_in": True, "email": "ROOT@example.org", "email_verified": True}, "admin"),
        ({"is_logged_in": True, "email": "root@example.org", "email_verified": False}, "viewer"),
        ({"is_logged_in": True, "email": "bea@oncall.example"}, "responder"),
        ({"is_logged_in": True, "email": "bea@evil-oncall.example"}, "viewer"),
        ({"is_logged_in": True}, "viewer"),
    ],
)
def test_a_role_comes_from_a_checked_address(claims: dict[str, Any], role: str) -> None:
    assert Access(True, PEOPLE).of_person(claims) == role


def test_named_viewers_keep_everybody_else_out() -> None:
    asked = Access(True, {**PEOPLE, "viewer": ("@example.org",)})
    assert asked.of_person({"is_logged_in": True, "email": "bob@example.org"}) == "viewer"
    assert asked.of_person({"is_logged_in": True, "email": "bob@else.example"}) == ""


def test_roles_reach_what_lies_below_them() -> None:
    assert reaches("admin", "viewer") and reaches("responder", "responder")
    assert not reaches("viewer", "responder") and not reaches("", "viewer")


def test_the_api_asks_for_a_token_as_soon_as_people_log_in_or_tokens_are_named(connected: Store) -> None:
    tokens = {role: new_token() for role in ("viewer", "responder")}
    named = [ApiTokenSettings(name=role, token_sha256=digest(token).hex(), role=role) for role, token in tokens.items()]  # type: ignore[arg-type]
    finding = _finding(connected)
    for given, expected in [
        (UiSettings(tokens=named), {"": 401, "viewer": 200, "responder": 200, "wrong": 401}),
        (UiSettings(login=LoginSettings(**LOGIN)), {"": 401, "viewer": 401}),
    ]:  # type: ignore[call-arg, arg-type]
        data.connect(connected, dict, access(given))
        with TestClient(Starlette(routes=routes(connected, lambda: {"status": "ok"}))) as client:
            for name, status in expected.items():
                shown = {"authorization": f"Bearer {tokens.get(name, 'acs_x')}"} if name else {}
                assert client.get("/api/attention", headers=shown).status_code == status, name
            assert client.get("/api/health").status_code == 200
            note = {"kind": "comment", "author": "ann", "text": "x"}
            answers = [
                client.post(f"/api/findings/{finding}/notes", json=note, headers={"authorization": f"Bearer {token}"}).status_code
                for token in tokens.values()
            ]
            assert answers == ([403, 200] if given.tokens else [401, 401])


def _finding(store: Store) -> str:
    with TestClient(Starlette(routes=routes(store, lambda: {"status": "ok"}))) as client:
        return str(client.get("/api/attention").json()["findings"][0]["id"])


def test_what_streamlit_reads_is_for_the_owner_only_and_keeps_the_key_of_the_cookies(tmp_path: Path) -> None:
    given = UiSettings(login=LoginSettings(**LOGIN), public_url="https://scope.example/")  # type: ignore[call-arg, arg-type]
    path = secrets_file(given, tmp_path / "explorer")
    assert path and stat.S_IMODE(path.stat().st_mode) == 0o600
    first = tomllib.loads(path.read_text())["auth"]
    assert first["redirect_uri"] == "https://scope.example/oauth2callback" and first["client_secret"] == LOGIN["client_secret"]
    secrets_file(given, tmp_path / "explorer")
    assert tomllib.loads(path.read_text())["auth"]["cookie_secret"] == first["cookie_secret"]
    assert secrets_file(UiSettings(), tmp_path) is None  # type: ignore[call-arg]


def test_a_login_that_cannot_work_stops_the_start_with_a_line_for_each_reason() -> None:
    with pytest.raises(DefinitionError) as told:
        load(ui={"login": {"metadata_url": "http://id.example/x", "client_secret_file": "/nowhere/secret"}})
    text = str(told.value)
    assert all(part in text for part in ("must be https", "client_id", "public_url", "client_secret_file"))
