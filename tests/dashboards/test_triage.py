"""What people do about findings, in real Chromium: log in, acknowledge, mute, comment, come back to a saved view."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.dashboards.otlp import cycle, send
from tests.dashboards.provider import Provider
from tests.dashboards.test_browser import CHROMIUM, _see, _until, browser

from actorscope.tokens import digest, new_token

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt install chromium"),
]
_TOKEN = new_token()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[dict[str, str]]:
    """The addresses of the real program that asks for a login, with one finding in it."""
    folder, port = tmp_path_factory.mktemp("login"), _free_port()
    (folder / "actorscope.toml").write_text(f"""
[ui]
port = {port}
public_url = "http://127.0.0.1:{port}"
[ui.login]
metadata_url = "{provider.url}/.well-known/openid-configuration"
client_id = "explorer"
client_secret = "s"
responders = ["ann@example.org"]
[[ui.tokens]]
name = "test"
token_sha256 = "{digest(_TOKEN).hex()}"
role = "viewer"
""")
    command = [sys.executable, "-m", "actorscope", "up", "--data", str(folder / "data"), "--grpc-port=0", "--http-port=0"]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        file = folder / "data" / "server.json"
        _until(lambda: file.exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        found: dict[str, str] = json.loads(file.read_text())
        send(found["http"], cycle("a1" * 16))
        _until(lambda: _findings(found))
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _findings(where: dict[str, str]) -> list[dict[str, Any]]:
    import httpx

    shown = {"authorization": f"Bearer {_TOKEN}"}
    assert httpx.get(f"{where['ui']}/api/attention", timeout=20).status_code == 401
    found: list[dict[str, Any]] = httpx.get(f"{where['ui']}/api/attention", headers=shown, timeout=20).json()["findings"]
    return found


def _as(browser: Any, where: dict[str, str], provider: Provider, **claims: Any) -> Any:
    """A page of somebody who has logged in."""
    provider.claims = claims
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    page.goto(where["ui"])
    page.get_by_role("button", name="Log in").click()
    return page


def test_a_stranger_sees_nothing_and_a_viewer_cannot_act(browser: Any, where: dict[str, str], provider: Provider) -> None:
    finding = _findings(where)[0]["id"]
    page = browser.new_context().new_page()
    page.goto(f"{where['ui']}/finding?finding={finding}")
    _see(page, "This explorer asks who you are.")
    assert page.get_by_text("Evidence").count() == 0
    page = _as(browser, where, provider, email="vic@example.org", email_verified=True)
    _see(page, "vic@example.org  (viewer)")
    page.goto(f"{where['ui']}/finding?finding={finding}")
    _see(page, "Your role lets you look")
    assert page.get_by_role("button", name="Acknowledge").count() == 0


def test_a_responder_acts_and_everybody_sees_who_did(browser: Any, where: dict[str, str], provider: Provider) -> None:
    finding = _findings(where)[0]["id"]
    page = _as(browser, where, provider, email="ann@example.org", email_verified=True)
    _see(page, "ann@example.org  (responder)")
    page.goto(f"{where['ui']}/finding?finding={finding}")
    _see(page, "Evidence")
    page.get_by_role("button", name="Comment").click()
    page.get_by_role("textbox", name="Comment").fill("<b>looked</b> at ![x](http://evil.example/x.png)")
    page.wait_for_timeout(5000)  # pages refresh themselves; a dialog stays
    page.get_by_role("button", name="Save").click()
    _see(page, "<b>looked</b> at ![x](http://evil.example/x.png)")
    page.get_by_role("button", name="Mute").click()
    page.get_by_role("textbox", name="Why nobody needs to hear of it").fill("known")
    page.locator('[role="dialog"]').get_by_role("button", name="Mute").click()
    _see(page, "Muted by ann@example.org until")
    _until(lambda: _findings(where)[0]["state"] == "muted")
    page.get_by_role("button", name="Open again").click()
    page.get_by_role("button", name="Save").click()
    _until(lambda: _findings(where)[0]["state"] == "open")
    _see(page, "ann@example.org opened it again")


def test_a_view_is_saved_and_leads_back(browser: Any, where: dict[str, str], provider: Provider) -> None:
    page = _as(browser, where, provider, email="ann@example.org", email_verified=True)
    _see(page, "findings shown")
    page.goto(f"{where['ui']}/?family=cost&state=resolved")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("textbox", name="Save what is shown now as").fill("closed *costs*")
    page.get_by_role("button", name="Save view").click()
    _see(page, "closed *costs*")
    page.goto(where["ui"])
    page.get_by_role("button", name="Views").click()
    page.get_by_text("closed *costs*").first.click()
    page.wait_for_url("**family=cost*state=resolved*")


def test_the_secrets_of_the_login_are_in_no_log(where: dict[str, str]) -> None:
    log = next(Path(where["store"].removeprefix("chdb://")).parents[1].glob("log")).read_text()
    assert "client_secret" not in log and _TOKEN not in log
