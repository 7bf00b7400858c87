"""Every page in real Chromium, dark and light: it comes up, its text can be read, and its main moves need no mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.dashboards.otlp import cycle, office, send, send_notes
from tests.dashboards.test_browser import CHROMIUM, _findings, _until, browser, page, started

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt install chromium"),
]
_CYCLE, _CAREFUL, _HASTY = "a1" * 16, "d1" * 16, "d2" * 16
_PAY = f"{_HASTY[:12]}0006"

# Page, its address, and what is seen when its answer is there.
PAGES = {
    "attention": ("/", "findings shown"),
    "finding": ("/finding?finding={finding}", "What would disprove it"),
    "fleet": ("/fleet?range=all", "actors shown"),
    "actor": ("/actor?actor={actor}&range=all", "Runs by cause"),
    "runs": ("/run", "Click a row to open it"),
    "run": (f"/run?trace_id={_HASTY}&span_id={_PAY}", "Selected span"),
    "compare": (f"/compare?a={_CAREFUL}&b={_HASTY}", "steps shown of"),
    "cost": ("/cost?range=all", "is what the agent spent itself"),
    "change": ("/change?resource=invoice/881&range=all", "The chain behind it"),
    "delegation": (f"/delegation?trace_id={_HASTY}&span_id={_PAY}", "started by"),
    "again": (f"/again?trace_id={_HASTY}", "What it wrote"),
    "radius": ("/radius?id={actor}&range=all", "Would miss it"),
    "sql": ("/sql?q=SELECT%201", "has not run yet"),
    "alerts": ("/alerts", "Told, and still open"),
    "coverage": ("/coverage?range=all&actor={actor}", "Which rule of which dialect"),
    "ingest": ("/ingest", "Ingesters"),
}
# An id that nobody has, and what the page says of it.
UNKNOWN = {
    "finding": ("/finding?finding=fnd_none", "There is no such finding", "All findings"),
    "actor": ("/actor?actor=nobody", "Nothing that this actor did", "All actors"),
    "run": (f"/run?trace_id={'0c' * 16}", "No span of this trace is stored", "It may still be on its way"),
    "run of no id": ("/run?trace_id=xyz", "has 32 hexadecimal digits", "Click a row to open it"),
    "compare": (f"/compare?a={'0c' * 16}&b={_HASTY}", "No span of this trace is stored", "It may still be on its way"),
    "change": ("/change?resource=nothing-of-that-name&range=all", "Nobody is known to have changed it", "Try a longer period"),
    "delegation": (f"/delegation?trace_id={'0c' * 16}", "No agent, action or run of that id is known", "It may still be on its way"),
    "again": (f"/again?trace_id={'0c' * 16}", "No run of an agent is known there", "Click a row to open it"),
    "radius": ("/radius?id=nobody&range=all", "Nothing was done under this identity", "Choose a longer period"),
    "coverage": ("/coverage?range=all&actor=nobody", "This actor did nothing in this range", "actors shown"),
    "cost": ("/cost?starter=nobody", "Nothing with a known cost", "choose a longer one"),
    "attention": ("/?text=nothing-of-that-name", "passes these filters", "Take a filter away"),
    "sql": ("/sql?q=SELECT%201", "has not run yet", "Press Run"),
}  # fmt: skip


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The real program with a cycle, and two runs of an office in which something was paid; ids for the addresses."""
    with started(tmp_path_factory.mktemp("pages")) as found:
        send(found["http"], cycle(_CYCLE))
        for spans, notes in (office(_CAREFUL), office(_HASTY, (_CAREFUL, f"{_CAREFUL[:12]}0003"), is_careful=False)):
            send(found["http"], spans)
            send_notes(found["http"], notes)
        _until(lambda: len(_findings(found)) >= 2, 90)
        _until(lambda: _actor(found), 90)
        yield {**found, "actor": quote(_actor(found)), "finding": _findings(found)[0]["id"]}


def _actor(where: dict[str, str]) -> str:
    actors = httpx.get(f"{where['ui']}/api/coverage?last=all", timeout=60).json()["actors"]
    return next((str(actor["actor_id"]) for actor in actors if actor["actor_name"] == "payer"), "")


@pytest.fixture(scope="module")
def themed(browser: Any) -> Iterator[dict[str, Any]]:
    """A page of each scheme, kept for the module: the scripts of the explorer are loaded once."""
    contexts = {scheme: browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme=scheme) for scheme in ("light", "dark")}
    opened = {scheme: context.new_page() for scheme, context in contexts.items()}
    for one in opened.values():
        one.set_default_timeout(90_000)
    yield opened
    for context in contexts.values():
        context.close()


def _go(page: Any, where: dict[str, str], path: str, *texts: str) -> None:
    page.goto(where["ui"] + path.format_map(where))
    for text in texts:
        page.get_by_text(text).first.wait_for(timeout=90_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_comes_up_and_its_text_can_be_read(themed: dict[str, Any], where: dict[str, str], name: str, scheme: str) -> None:
    page = themed[scheme]
    _go(page, where, *PAGES[name])
    page.wait_for_timeout(700)
    assert page.locator('[data-testid="stException"]').count() == 0
    told = page.evaluate(_CONTRAST)
    assert told["texts"] > 15 and not told["faint"], told["faint"]
    assert told["ground"] < 0.05 if scheme == "dark" else told["ground"] > 0.9


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_id_that_nobody_has_gets_a_message_that_helps(themed: dict[str, Any], where: dict[str, str], name: str) -> None:
    page = themed["light"]
    _go(page, where, *UNKNOWN[name])
    assert page.locator('[data-testid="stException"]').count() == 0


def _press(page: Any, key: str, is_done: Callable[[], Any]) -> None:
    """Press a key of a button; on a busy machine the button may stand before it listens."""
    page.locator("kbd").first.wait_for()

    def tried() -> Any:
        page.keyboard.press(key)
        page.wait_for_timeout(2500)
        return is_done()

    _until(tried, 90)


def test_rows_are_walked_and_opened_by_keys(themed: dict[str, Any], where: dict[str, str]) -> None:
    page = themed["light"]
    for path, text, opened in (
        ("/", "findings shown", "/finding?finding="),
        ("/run", "Click a row to open it", "/run?trace_id="),
        ("/fleet?range=all", "actors shown", "actor="),
        ("/coverage?range=all", "actors shown", "actor="),
        ("/again", "Click a row to open it", "/again?trace_id="),
        ("/delegation", "Click a row to open it", "/delegation?trace_id="),
        ("/radius?range=all", "choose one of the actors", "id="),
    ):
        _go(page, where, path, text)
        for key in ("j", "j", "k"):
            page.keyboard.press(key)
            page.wait_for_timeout(900)
        _press(page, "o", lambda opened=opened: opened in page.url)  # type: ignore[misc]


def test_a_finding_is_worked_on_by_keys(themed: dict[str, Any], where: dict[str, str]) -> None:
    page = themed["dark"]
    _go(page, where, "/", "findings shown")
    _press(page, "o", lambda: "/finding?finding=" in page.url)
    dialog = page.get_by_role("dialog")
    for key, title in {"a": "Acknowledge", "s": "Assign", "m": "Mute", "x": "Close", "w": "Comment", "o": "Open again"}.items():
        page.get_by_text("What would disprove it").first.wait_for()
        _press(page, key, lambda title=title: dialog.get_by_text(title, exact=True).count())  # type: ignore[misc]
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
    first = page.url
    _press(page, "j", lambda: "finding=fnd_" in page.url and page.url != first)
    page.get_by_text("What would disprove it").first.wait_for()
    _press(page, "k", lambda: page.url == first)
    page.get_by_text("What would disprove it").first.wait_for()
    _press(page, "l", lambda: "finding=" not in page.url)
    page.get_by_text("findings shown").first.wait_for()


def test_a_query_runs_and_a_silence_is_asked_for_by_keys(themed: dict[str, Any], where: dict[str, str]) -> None:
    page = themed["light"]
    _go(page, where, *PAGES["sql"])
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.press("Control+Enter")
    page.get_by_text("1 row shown").wait_for()
    _go(page, where, *PAGES["alerts"])
    _press(page, "s", lambda: page.get_by_role("dialog").get_by_text("Why nobody needs to hear of it").count())
    page.keyboard.press("Escape")


def test_every_page_is_reached_by_tab_and_enter(themed: dict[str, Any], where: dict[str, str]) -> None:
    """The pages of the sidebar are links that the keyboard reaches, and what has the keyboard is seen to have it."""
    page = themed["light"]
    _go(page, where, *PAGES["attention"])
    links = page.locator('[data-testid="stSidebarNavLink"]')
    assert links.count() == 12
    for at in range(links.count()):
        links.nth(at).focus()
        seen = links.nth(at).evaluate("(one) => one.matches(':focus') && one.tabIndex >= 0 && getComputedStyle(one)")
        assert seen
    links.nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/cost*")


# The contrast of each text that is seen against what lies under it, as WCAG 2 counts it: 4.5:1, for large text 3:1. What is
# switched off is exempt there, and so are icons, which are letters of a font here.
_CONTRAST = """() => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }), known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const up = (one) => one.parentElement ?? one.getRootNode().host ?? null;
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = up(at)) {
      const beside = at.classList.contains("inside") && at.parentElement.querySelector(".bar");
      const colour = rgba(getComputedStyle(beside || at).backgroundColor);
      if (colour[3]) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), rgba("Canvas").slice(0, 3));
  };
  const all = [], walk = (root) => root.querySelectorAll("*").forEach((one) => (all.push(one), one.shadowRoot && walk(one.shadowRoot)));
  walk(document.querySelector('[data-testid="stApp"]'));
  const faint = [];
  let texts = 0;
  for (const one of all) {
    const text = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join(" ").trim();
    const style = getComputedStyle(one), isSeen = one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    if (!text || !isSeen || one.closest("style, script, option, canvas, svg, :disabled, [aria-disabled=true]")) continue;
    if (/icon|symbols/i.test(style.fontFamily)) continue;
    let opacity = 1;
    for (let at = one; at; at = up(at)) opacity *= +getComputedStyle(at).opacity;
    const below = ground(one), colour = rgba(style.color), seen = over([...colour.slice(0, 3), colour[3] * opacity], below);
    const [low, high] = [light(seen), light(below)].sort((a, b) => a - b), ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    texts++;
    if (ratio < (isLarge ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${one.tagName}.${one.className} ${text.slice(0, 40)}`);
  }
  const app = document.querySelector('[data-testid="stApp"]');
  return { texts, faint: [...new Set(faint)].slice(0, 20), ground: light(rgba(getComputedStyle(app).backgroundColor).slice(0, 3)) };
}"""
