"""How long the explorer takes, by how many spans are stored: every answer that a page asks, and the pages themselves in Chromium.

The histories are those of `history`. Each answer is asked anew, nothing remembered, and once more right after: the first time
pays what the store reads from disk. A page is there when Streamlit has run its script to the end and drawn its title.

By itself: `python -m tests.bench.desk make FOLDER 10240000`, then `ask FOLDER` and `look FOLDER`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from tests.bench import history
from tests.bench.workload import Rounds

from actorscope.analysis.answers import (
    actor,
    again,
    alerts,
    around,
    attention,
    change,
    compare,
    console,
    covered,
    findings,
    fleet,
    ingest,
    lineage,
    radius,
    run,
    spend,
)
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import AlertSettings


@dataclass
class Answer:
    """Seconds of one answer."""

    page: str
    first: float
    again: float
    cpu: float


def make(folder: Path, spans: int) -> None:
    """A store with that many spans, judged as `history` does; days that are over are one part each, as a store makes them in time."""
    store = Store(f"chdb://{folder / 'store'}")
    history.lay(store, Rounds(history.ROUND, history.VARIETY, history.DAYS * 86_400 / max(1, spans // history.ROUND)), spans)
    for table in ("span_facts", "delegation_rows"):
        store.command(f"OPTIMIZE TABLE {table} FINAL")
    store.close()


def questions(store: Store) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What the pages ask, with things to ask about that are stored."""
    newest = store.frame("SELECT max(start_time) AS t FROM span_rows")["t"].item()
    month = newest - timedelta(days=30)
    found = store.frame("SELECT id FROM findings LIMIT 1")["id"]
    about = store.frame(
        "SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, actor_id, targets[1] AS target FROM span_facts "
        "WHERE role = 'action' AND notEmpty(targets) ORDER BY version DESC LIMIT 1"
    ).to_dicts()[0]
    other = "SELECT lower(hex(trace_id)) AS t FROM span_facts WHERE role = 'run' ORDER BY version DESC LIMIT 1 OFFSET 50"
    other = store.frame(other)["t"].item()
    resource = about["target"]
    wanted = attention.Wanted()
    yield "needs attention", lambda: attention.attention(store, wanted, 200, 0)
    yield "needs attention, times", lambda: attention.times(store, wanted, datetime.now(UTC))
    yield "finding", lambda: findings.detail(store, found.item())
    yield "run", lambda: run.whole(store, about["trace"])
    yield "run, search", lambda: run.search(store, about["trace"], "order")
    yield "run, siblings", lambda: around.siblings(store, about["trace"], about["actor_id"], "")
    yield "compare", lambda: compare.compare(run.whole(store, about["trace"]), run.whole(store, other))
    yield "actor, 30 days", lambda: actor.actor(store, about["actor_id"], month)
    yield "actor, all", lambda: actor.actor(store, about["actor_id"], None)
    yield "delegation", lambda: lineage.lineage(store, about["trace"], about["span"])
    yield "why again", lambda: again.why_again(store, about["trace"], about["span"])
    yield "change, 30 days", lambda: change.who_changed(store, resource, month, None, False)
    yield "change, all", lambda: change.who_changed(store, resource, None, None, False)
    yield "radius, 30 days", lambda: radius.radius(store, about["actor_id"], month)
    yield "cost, 30 days", lambda: spend.spend(store, month, "")
    yield "cost, all", lambda: spend.spend(store, None, "")
    yield "fleet, 30 days", lambda: fleet.fleet(store, month, 1000)
    yield "fleet, all", lambda: fleet.fleet(store, None, 1000)
    yield "latest runs", lambda: run.latest_runs(store, "", None, 50)
    yield "coverage, 30 days", lambda: covered.stored(store, month, "", 200)
    yield "ingest health", lambda: ingest.ingest(store)
    yield "alerts", lambda: alerts.overview(store, AlertSettings.model_validate({}))
    by_actor = "SELECT actor_name, sum(cost_usd) FROM model_calls GROUP BY 1 ORDER BY 2 DESC"
    yield "SQL, cost by actor", lambda: console.answer(store, by_actor)


def ask(folder: Path) -> list[Answer]:
    """Every answer of a store, twice."""
    store = Store(f"chdb://{folder / 'store'}")
    found = []
    for page, question in questions(store):
        took = []
        for _ in range(2):
            cpu, began = time.process_time(), time.monotonic()
            question()
            took.append((time.monotonic() - began, time.process_time() - cpu))
        found.append(Answer(page, took[0][0], took[1][0], took[0][1]))
        print(found[-1], file=sys.stderr, flush=True)
    store.close()
    return found


def look(folder: Path) -> list[tuple[str, float]]:
    """Seconds until each page is there: the first in a new browser, the others in the same one; empty without Chromium."""
    from playwright.sync_api import sync_playwright
    from tests.dashboards.test_browser import _FLAGS, CHROMIUM, started

    if CHROMIUM is None:
        return []
    found = []
    with started(folder) as where, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        about = httpx.get(f"{where['ui']}/api/attention", timeout=60).json()["findings"][0]
        run, subject = about["evidence"][0]["trace_id"], quote(about["subject"]["id"])
        for name, path in (
            ("needs attention, first page", "/"), ("needs attention", "/"), ("finding", f"/finding?finding={about['id']}"),
            ("run", f"/run?trace_id={run}"), ("actor", f"/actor?actor={subject}&range=30d"), ("fleet, all", "/fleet?range=all"),
            ("cost, all", "/cost?range=all"), ("delegation", f"/delegation?trace={run}"), ("coverage", "/coverage?range=all"),
            ("alerts", "/alerts"), ("ingest health", "/ingest"),
        ):  # fmt: skip
            began = time.monotonic()
            page.goto(f"{where['ui']}{path}")
            page.wait_for_function(_THERE, timeout=120_000)
            found.append((name, time.monotonic() - began))
            print(found[-1], file=sys.stderr, flush=True)
        browser.close()
    return found


_THERE = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && document.querySelector('[data-testid=stMain] :is(h1, h2, h3)') !== null"""


def measure(spans: int, kept: Path | None = None) -> tuple[list[Answer], list[tuple[str, float]]]:
    """In processes of their own: one that makes the store, one that asks, one that looks. A store in `kept` is used again."""
    with tempfile.TemporaryDirectory() as made:
        folder = str(kept or made)
        if not (Path(folder) / "store").exists():
            _own("make", folder, str(spans))
        return [Answer(**each) for each in _own("ask", folder)], [(name, seconds) for name, seconds in _own("look", folder)]


def _own(*arguments: str) -> Any:
    ran = subprocess.run([sys.executable, "-m", __name__, *arguments], check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        in_worker(lambda: make(folder, int(sys.argv[3])))
        print("null")
    elif what == "ask":
        print(json.dumps([vars(answer) for answer in in_worker(lambda: ask(folder))]))
    else:
        print(json.dumps(look(folder)))
