"""The run screen and the comparison in real Chromium: keyboard, search, zoom, 20,000 spans, hostile text, light and dark."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.dashboards.otlp import HOSTILE, fleet_of, office, run_of, send, send_notes, span
from tests.dashboards.test_browser import CHROMIUM, _see, _shoot, _until, browser, page, started

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt install chromium"),
]
_CAREFUL, _HASTY, _BIG, _HOSTILE = "d1" * 16, "d2" * 16, "c7" * 16, "b3" * 16
_MANY = 20_000
_PAY = f"{_HASTY[:12]}0006"
_MEGABYTE = "<b>very long</b> " * 65_000
_WILD = (*HOSTILE, "\x1b[31mred\x1b[0m", "\u202egnp.exe\u2066", "{b}{c} ${x} {{y}}", "# title\n- **bold** `code`")


def _wild() -> list[Any]:
    """A run whose every name and attribute is hostile."""
    ids = [f"{_HOSTILE[:12]}{n:04x}" for n in range(12)]
    tool = {"gen_ai__operation__name": "execute_tool", "actorscope__action__side_effect": "write"}
    return [
        run_of(_HOSTILE, ids[1], "", HOSTILE[0], 60, 1),
        *(
            span(_HOSTILE, ids[at], ids[1], text, 50 - at, 49 - at, error=text, **tool, gen_ai__tool__name=text, payload=text,
                 actorscope__action__target__id=text, actorscope__authz__scope__used=[text])  # fmt: skip
            for at, text in enumerate(_WILD, 2)
        ),
        span(_HOSTILE, ids[10], ids[1], "one megabyte", 5, 2, **tool, gen_ai__tool__name="big", payload=_MEGABYTE),
    ]


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The real program with two runs of an office, a run of hostile text and one of 20,000 spans."""
    with started(tmp_path_factory.mktemp("runs")) as found:
        careful, hasty = office(_CAREFUL), office(_HASTY, (_CAREFUL, f"{_CAREFUL[:12]}0003"), is_careful=False)
        for spans, notes in (careful, hasty):
            send(found["http"], spans)
            send_notes(found["http"], notes)
        send(found["http"], _wild())
        many = fleet_of(_BIG, _MANY)
        for at in range(0, _MANY, 5000):
            send(found["http"], many[at : at + 5000])
        _until(lambda: httpx.get(f"{found['ui']}/api/runs/{_HASTY}/around", timeout=60).json().get("siblings"), 60)
        _until(lambda: _runs_of_big(found) == _MANY // 100 + 1, 180)
        yield found


def _answer(where: dict[str, str], path: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{where['ui']}/api/{path}", timeout=60).raise_for_status().json()
    return found


def _runs_of_big(where: dict[str, str]) -> int:
    """How many runs of the large trace are known by now; it is not there at first."""
    told = httpx.get(f"{where['ui']}/api/runs/{_BIG}?limit=1", timeout=60)
    return int(told.json()["summary"]["runs"]) if told.status_code == 200 else 0


def _open(page: Any, where: dict[str, str], trace: str, **more: str) -> Any:
    """The waterfall of a run."""
    query = "".join(f"&{key}={value}" for key, value in more.items())
    page.goto(f"{where['ui']}/run?trace_id={trace}{query}")
    page.locator(".row").first.wait_for(timeout=60_000)  # the first page of a program that has just begun is slow
    return page.get_by_role("tree")


def _cursor(page: Any) -> str:
    page.wait_for_timeout(150)
    return str(page.locator(".row.cursor").get_attribute("aria-label"))


def test_the_tree_is_walked_by_keyboard_and_tells_what_it_shows(page: Any, where: dict[str, str]) -> None:
    tree = _open(page, where, _HASTY)
    rows = page.get_by_role("treeitem")
    assert rows.count() == 9 and rows.first.get_attribute("aria-expanded") == "true"
    assert [rows.nth(at).get_attribute("aria-level") for at in range(4)] == ["1", "2", "2", "2"]
    tree.focus()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    assert _cursor(page).startswith("agent run, invoke_agent payer")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(150)
    assert rows.count() == 4 and "+5 spans" in _cursor(page) and "errors inside" in _cursor(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("e")
    assert "high" in _cursor(page) or "error" in _cursor(page)
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**span_id={_HASTY[:12]}0001*")
    _see(page, "Selected span")
    assert page.locator('.row[aria-selected="true"]').count() == 1
    page.keyboard.press("ArrowDown")
    assert _cursor(page).startswith("model call"), "the tree keeps the keyboard when the panel changes"


def test_approvals_scopes_errors_and_open_spans_are_said_in_words(page: Any, where: dict[str, str]) -> None:
    _open(page, where, _HASTY)
    told = "\n".join(page.get_by_role("treeitem").nth(at).get_attribute("aria-label") for at in range(9))
    for text in ("scope mail.delete", "destructive → mailbox/9", "✖ error", "… open", "write → invoice/881", "⇄ links", "$"):
        assert text in told
    assert page.locator(".bar.torn").count() == 1 and page.locator(".path").count() > 3
    asked = page.get_by_role("listitem", name=re.compile("^pending"))
    asked.click()
    page.wait_for_url(f"**span_id={_PAY}*")
    _see(page, "execute_tool pay")
    assert page.get_by_role("list", name=re.compile("Approvals")).locator("button").count() == 3
    page.locator(".row", has_text="wait_for_bank").click()
    _see(page, "it began at")
    _shoot(page, "run-light")


def test_links_lead_both_ways(page: Any, where: dict[str, str]) -> None:
    _open(page, where, _CAREFUL, span_id=f"{_CAREFUL[:12]}0003")
    page.get_by_role("tab", name="Links").click()
    back = page.get_by_role("link", name=re.compile("Linked from"))
    back.click()
    page.wait_for_url(f"**trace_id={_HASTY}*")
    page.get_by_role("tab", name="Links").click()
    _see(page, f"Links to span {_CAREFUL[:12]}0003")
    page.goto(f"{where['ui']}/run?trace_id={_CAREFUL}")
    _see(page, "Other runs of the conversation")


def _hits(page: Any, wanted: str) -> None:
    _until(lambda: re.search(wanted, page.locator(".hits").inner_text()))


def test_search_finds_names_here_and_attributes_on_the_server(page: Any, where: dict[str, str]) -> None:
    _open(page, where, _BIG).focus()
    page.keyboard.press("/")
    page.locator("input:focus").wait_for()
    page.keyboard.type("timed out")
    _hits(page, "^1 of")
    page.keyboard.press("Enter")
    _until(lambda: page.locator(".hits").inner_text().startswith("2 of"))
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.locator("input:focus").wait_for()
    page.keyboard.type("order-1999")
    page.wait_for_url("**find=order-1999*")
    _hits(page, "^1 of [1-9]")
    page.keyboard.press("Enter")
    _hits(page, "^[1-9] of [1-9]")
    assert page.locator(".row.hit.cursor").count() == 1


def test_what_is_typed_stays_while_spans_and_findings_arrive(page: Any, where: dict[str, str]) -> None:
    trace, found = "e5" * 16, []
    many = fleet_of(trace, 6000, "typist")
    send(where["http"], many[:600])
    _until(lambda: _answered(where, trace), 60)
    _open(page, where, trace)
    box = page.locator("input[type=search]").first
    box.evaluate("(box) => { window.box = box }")
    for at in range(600, 6000, 900):
        send(where["http"], many[at : at + 900])
        box.click()
        page.keyboard.press("Control+A")
        page.keyboard.type("timed out", delay=120)
        page.wait_for_timeout(1500)
        found.append((box.input_value(), box.evaluate("(box) => box === window.box && box.getRootNode().activeElement === box")))
    assert found == [("timed out", True)] * len(found), "neither the text nor the box is replaced, nor does it lose the keyboard"
    _until(lambda: page.locator(".count").inner_text().startswith("6,000 rows"), 90)
    _hits(page, "^[1-4] of 4$")
    page.wait_for_url("**find=timed*")


def _answered(where: dict[str, str], trace: str) -> bool:
    return httpx.get(f"{where['ui']}/api/runs/{trace}?limit=1", timeout=60).status_code == 200


def test_a_brush_zooms_and_the_address_keeps_it(page: Any, where: dict[str, str]) -> None:
    tree = _open(page, where, _BIG)
    box = page.locator(".axis").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10, steps=4)
    page.mouse.up()
    page.wait_for_url("**zoom=*")
    page.goto(page.url)
    page.get_by_role("button", name="Reset zoom").wait_for()
    _see(page, "What the time went to")
    tree.focus()
    page.keyboard.press("0")
    page.wait_for_url(lambda url: "zoom" not in url)


def test_twenty_thousand_spans_travel_once_and_scroll(page: Any, where: dict[str, str]) -> None:
    frames: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(len(frame))))
    began = time.monotonic()
    _open(page, where, _BIG)
    shown = time.monotonic() - began
    _see(page, f"{_MANY:,} spans shown of {_MANY:,} matched")
    page.wait_for_timeout(3000)
    sent = sum(frames)
    frames.clear()
    page.locator(".row").nth(7).click()
    page.wait_for_url("**span_id=*")
    page.wait_for_timeout(5000)
    steps, mean, worst, rows = page.evaluate(_SCROLL)
    print(f"\n20,000 spans: rows after {shown:.1f} s, {sent:,} bytes at first, {sum(frames):,} in five seconds with a click; "
          f"{steps} jumps of the scrollbar, two frames each took {mean:.0f} ms, at worst {worst:.0f} ms")  # fmt: skip
    assert rows < 100, "only the rows in sight are in the document"
    assert sum(frames) < sent / 5, "the rows are not sent again"
    page.get_by_role("combobox", name="Which spans are shown").select_option("trouble")
    page.wait_for_url("**show=trouble*")
    _until(lambda: int(page.locator(".count").inner_text().split()[0]) < 300)
    page.get_by_role("button", name="Collapse").click()
    _until(lambda: "+99 spans" in page.locator(".row").nth(1).inner_text())


_SCROLL = """async () => {
  const root = [...document.querySelectorAll("*")].map((one) => one.shadowRoot).find((one) => one?.querySelector(".row"));
  const body = root.querySelector(".body"), taken = [];
  for (let at = 0; at < 1; at += 0.01) {
    const began = performance.now();
    body.scrollTop = at * body.scrollHeight;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    taken.push(performance.now() - began);
  }
  return [taken.length, taken.reduce((a, b) => a + b) / taken.length, Math.max(...taken), root.querySelectorAll(".row").length];
}"""


@pytest.mark.parametrize("chosen", ["", "0002", "0003", "000a"])
def test_hostile_text_stays_text(page: Any, where: dict[str, str], chosen: str) -> None:
    page.goto(f"{where['ui']}/run?trace_id={_HOSTILE}&graph=runs" + (f"&span_id={_HOSTILE[:12]}{chosen}" if chosen else ""))
    page.locator(".row").nth(7).wait_for()
    page.wait_for_timeout(1500)
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    main = page.locator('[data-testid="stMain"]')
    assert main.locator("img, script, iframe, [onerror], b, .row a, .row em").count() == 0
    links = [a.get_attribute("href") or "" for a in main.locator("a").all()]
    assert not [link for link in links if "evil" in link or "javascript" in link]
    names = page.locator(".title").all_inner_texts()
    assert f"invoke_agent {HOSTILE[0]}" in names and "\\x1b[31mred\\x1b[0m" in names and "\\u202egnp.exe\\u2066" in names
    assert all(len(name) < 200 for name in names)
    if not chosen:
        _shoot(page, "hostile-waterfall")


@pytest.mark.parametrize("graph", ["actors", "runs"])
def test_a_click_in_the_graph_selects_the_run(page: Any, where: dict[str, str], graph: str) -> None:
    _open(page, where, _HASTY, graph=graph)
    chart = page.locator('[data-testid="stEChartsChart"]')
    chart.scroll_into_view_if_needed()
    place = _until(lambda: chart.evaluate(_FIRST_NODE))
    chart.click(position=place)
    page.wait_for_url(f"**span_id={_HASTY[:12]}0001*")
    _see(page, "Selected span")


# The middle of what is violet in the chart: the first node, for the second has a finding.
_FIRST_NODE = """(chart) => {
  const canvas = chart.querySelector("canvas");
  if (!canvas) return null;
  const { width, height } = canvas, seen = [];
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === 0x7c && data[at + 1] === 0x5c && data[at + 2] === 0xff) seen.push(at / 4);
  if (!seen.length) return null;
  const ratio = width / canvas.getBoundingClientRect().width, middle = (list) => list.reduce((a, b) => a + b) / list.length / ratio;
  return { x: middle(seen.map((at) => at % width)), y: middle(seen.map((at) => Math.floor(at / width))) };
}"""


def test_two_runs_are_compared_from_the_run(page: Any, where: dict[str, str]) -> None:
    _open(page, where, _HASTY)
    page.get_by_role("button", name="Compare with").click()
    page.get_by_role("link", name=re.compile("tokens")).first.click()
    page.wait_for_url("**/compare?a=*b=*")
    _see(page, "steps shown of")
    _see(page, "+ added 1")
    _shoot(page, "compare")
    page.get_by_role("link", name="Swap A and B").click()
    _see(page, "− removed 1")
    page.goto(f"{where['ui']}/compare?a={_HOSTILE}&b={_HASTY}")
    _see(page, "steps shown of")
    assert page.evaluate("window.pwned") is None
    assert page.locator('[data-testid="stMain"]').locator("img, script, iframe, [onerror]").count() == 0
    page.goto(f"{where['ui']}/compare?a={_CAREFUL}")
    _see(page, "Click one to compare with it")


def test_dark_mode_is_dark_in_the_waterfall_too(browser: Any, where: dict[str, str]) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme=scheme)
        opened = context.new_page()
        _open(opened, where, _HASTY, span_id=_PAY)
        _see(opened, "Selected span")
        opened.wait_for_timeout(2500)
        colours[scheme] = opened.locator(".row .title").first.evaluate("(one) => getComputedStyle(one).color")
        _shoot(opened, f"run-{scheme}")
        context.close()
    light, dark = (sum(int(each) for each in re.findall(r"\d+", colours[scheme])[:3]) for scheme in ("light", "dark"))
    assert light < 250 and dark > 500, "text is dark on light, and light on dark"
