"""The explorer in real Chromium: from a finding to its evidence by clicking, permalinks, hostile text, live refresh."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.conftest import ROOT
from tests.dashboards.otlp import HOSTILE, cycle, send

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt install chromium"),
]
_SHOTS = ROOT / "test-artifacts"
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
_TRACE = "a1" * 16
_HOSTILE_TRACE = "b2" * 16


def _exceptions(log: str) -> list[str]:
    """The last lines of tracebacks, but for Streamlit's own when a tab closes while it answers it."""
    parts = log.split("Traceback (most recent call last):")[1:]
    ends = (re.search(r"^(?! |During |The above )\S.*$", part, re.M) for part in parts)
    return [end[0] for end in ends if end and "WebSocketDisconnect" not in end[0] and "text frame" not in end[0]]


def _until(found: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)
    return answer


@contextmanager
def started(data: Path) -> Iterator[dict[str, str]]:
    """The addresses of the real program, which must end without an exception in its log."""
    ports = [f"--{name}-port=0" for name in ("grpc", "http", "ui")]
    command = [sys.executable, "-m", "actorscope", "up", "--data", str(data), *ports]
    with open(data / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=data)
    try:
        file = data / "server.json"
        _until(lambda: file.exists() or process.poll() is not None, 120)
        assert process.poll() is None, (data / "log").read_text()
        found: dict[str, str] = json.loads(file.read_text())
        yield found
        assert not _exceptions((data / "log").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The real program with two findings in it."""
    with started(tmp_path_factory.mktemp("explorer")) as found:
        send(found["http"], cycle(_TRACE))
        send(found["http"], cycle(_HOSTILE_TRACE, *HOSTILE))
        _until(lambda: len(_findings(found)) >= 2)
        yield found


def _findings(where: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{where['ui']}/api/attention", timeout=20).json()["findings"]
    return found


def _finding_of(where: dict[str, str], trace: str) -> str:
    found: str = next(f["id"] for f in _findings(where) if f["evidence"][0]["trace_id"] == trace)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, where: dict[str, str]) -> Iterator[Any]:
    """A page whose every request is noted; none may leave this machine."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.set_default_timeout(60_000)
    yield opened
    opened.wait_for_timeout(200)
    outside = [url for url in asked if not url.startswith((where["ui"], "data:", "blob:", "about:"))]
    context.close()
    assert not outside


def _see(page: Any, text: str) -> None:
    page.get_by_text(text).first.wait_for()


def _shoot(page: Any, name: str) -> None:
    _SHOTS.mkdir(exist_ok=True)
    page.wait_for_timeout(400)
    height = page.evaluate("document.querySelector('[data-testid=stMain] > div').scrollHeight")
    page.set_viewport_size({"width": 1400, "height": min(height + 40, 3000)})
    page.wait_for_timeout(400)
    page.screenshot(path=_SHOTS / f"{name}.png")
    page.set_viewport_size({"width": 1400, "height": 1000})


def _click_row(page: Any, row: int) -> None:
    """Tables are drawn on a canvas: a header of 36 pixels, then rows of 35."""
    table = page.locator('[data-testid="stDataFrame"]').first
    table.wait_for()
    page.wait_for_timeout(700)
    table.click(position={"x": 200, "y": 36 + 35 * row + 17})


def test_two_clicks_lead_from_the_list_to_the_evidence(page: Any, where: dict[str, str]) -> None:
    page.goto(where["ui"])
    _see(page, "2 of 2 findings shown")
    _shoot(page, "attention")
    _click_row(page, 0)
    page.wait_for_url("**/finding?finding=fnd_*")
    _see(page, "What would disprove it")
    _shoot(page, "finding")
    page.locator('[data-testid="stMain"] a', has_text="Span ").first.click()
    page.wait_for_url("**/run?trace_id=*span_id=*")
    _see(page, "Selected span")
    _see(page, "4 spans shown of 4 matched")
    _shoot(page, "run")


def test_permalinks_of_alerts_and_ids_of_traces_find_their_page(page: Any, where: dict[str, str]) -> None:
    finding = _finding_of(where, _TRACE)
    page.goto(f"{where['ui']}/?finding={finding}")
    page.wait_for_url(f"**/finding?finding={finding}")
    _see(page, "Evidence")
    page.goto(f"{where['ui']}/?trace_id={_TRACE.upper()}&span_id={_TRACE[:14]}02")
    page.wait_for_url("**/run?trace_id=*")
    _see(page, "Selected span")
    page.goto(f"{where['ui']}/?span_id={_TRACE[:14]}02")
    _see(page, "4 spans shown of 4 matched")
    page.goto(f"{where['ui']}/run?trace_id={'0c' * 16}")
    _see(page, "No span of this trace is stored")


def _hostile_actor(where: dict[str, str]) -> str:
    actors = httpx.get(f"{where['ui']}/api/coverage?last=all", timeout=20).json()["actors"]
    found: str = next(actor["actor_id"] for actor in actors if actor["actor_name"] == HOSTILE[0])
    return found


def test_text_of_spans_is_never_more_than_text(page: Any, where: dict[str, str]) -> None:
    finding = _finding_of(where, _HOSTILE_TRACE)
    places = [
        ("/", "findings shown"),
        (f"/finding?finding={finding}", "Evidence"),
        (f"/run?trace_id={_HOSTILE_TRACE}&span_id={_HOSTILE_TRACE[:14]}04", "Selected span"),
        ("/fleet?range=all", "actors shown"),
        (f"/coverage?range=all&actor={quote(_hostile_actor(where))}", "Which rule of which dialect"),
    ]
    for path, text in places:
        page.goto(where["ui"] + path)
        _see(page, text)
        page.wait_for_timeout(1000)
        assert page.evaluate("window.pwned") is None
        main = page.locator('[data-testid="stMain"]')
        assert main.locator("img, script, iframe, [onerror]").count() == 0
        links = [a.get_attribute("href") or "" for a in main.locator("a").all()]
        assert not [link for link in links if "evil" in link or "javascript" in link or "mailto" in link]
        _shoot(page, "hostile-" + (path.strip("/").partition("?")[0] or "attention"))


def test_a_click_on_a_bar_opens_the_span(page: Any, where: dict[str, str]) -> None:
    page.goto(f"{where['ui']}/run?trace_id={_TRACE}")
    page.locator(".row .bar").first.click()
    page.wait_for_url(f"**span_id={_TRACE[:14]}01*")
    _see(page, "Selected span")


def test_filters_live_in_the_address_and_new_findings_appear_by_themselves(page: Any, where: dict[str, str]) -> None:
    page.goto(where["ui"] + "/?family=cost")
    _see(page, "passes these filters")
    page.goto(where["ui"] + "/?family=delegation&severity=low")
    _see(page, "findings shown")
    before = len(_findings(where))
    page.evaluate("window.same = true")
    send(where["http"], cycle("c3" * 16, "scout", "digger"))
    _see(page, f"{before + 1} of {before + 1} findings shown")
    assert page.evaluate("window.same") is True
    assert "family=delegation" in page.url
    page.get_by_role("button", name=re.compile("^cost ·")).click()
    page.wait_for_url("**family=*cost*")


def test_the_fleet_leads_to_the_runs_of_an_actor(page: Any, where: dict[str, str]) -> None:
    page.goto(where["ui"] + "/fleet?range=all")
    _see(page, "actors shown")
    _click_row(page, 0)
    page.wait_for_url("**actor=*")
    _see(page, "runs of this actor")
    _shoot(page, "fleet")


def test_a_page_elsewhere_cannot_reach_the_explorer_under_its_own_name(where: dict[str, str]) -> None:
    assert httpx.get(where["ui"] + "/", headers={"Host": "evil.example"}).status_code == 403
    assert Path(_SHOTS).exists()


def test_coverage_leads_to_the_line_that_says_what_is_missing(page: Any, where: dict[str, str]) -> None:
    page.goto(where["ui"] + "/coverage?range=all")
    _see(page, "Click one to see what is missing")
    _click_row(page, 0)
    page.wait_for_url("**actor=*")
    _see(page, "Lines that say it")
    _shoot(page, "coverage")
    address = page.url
    page.get_by_role("tab", name="Audit").click()
    _see(page, "with semconv.budget(0.50")
    page.goto(address)
    _see(page, "version of the agent: missing")


def test_ingest_health_says_who_sends_and_what_was_not_kept(page: Any, where: dict[str, str]) -> None:
    refused = httpx.post(f"{where['http']}/v1/traces", content=b"garbage", headers={"content-type": "application/x-protobuf"})
    assert refused.status_code == 400
    _until(lambda: any(row["what"] == "refused.undecodable" for row in httpx.get(f"{where['ui']}/api/ingest").json()["reasons"]), 40)
    page.goto(f"{where['ui']}/ingest")
    _see(page, "What is sent is kept and can be queried.")
    _see(page, "Not kept as it came, last hour")
    _see(page, "Stored per minute")
    assert httpx.get(f"{where['ui']}/api/ingest").json()["sources"]
    _shoot(page, "ingest")
