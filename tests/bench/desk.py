"""How long the explorer takes to answer, by how many spans are stored: every answer that a page asks, and the first page in Chromium.

The histories are those of `history`. Each answer is asked anew, nothing remembered, and once more right after: the first time
pays what the store reads from disk. Pages put a second's worth of drawing on top, which the part in Chromium measures.
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
    """A store with that many spans, judged as `history` does."""
    store = Store(f"chdb://{folder / 'store'}")
    history.lay(store, Rounds(history.ROUND, history.VARIETY, history.DAYS * 86_400 / max(1, spans // history.ROUND)), spans)
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


def measure(spans: int) -> list[Answer]:
    """In processes of their own: one that makes the store, one that asks."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", __name__, "make", folder, str(spans)], check=True, capture_output=True)
        asked = subprocess.run([sys.executable, "-m", __name__, "ask", folder], check=True, capture_output=True, text=True)
    return [Answer(**each) for each in json.loads(asked.stdout.splitlines()[-1])]


if __name__ == "__main__":
    if sys.argv[1] == "make":
        in_worker(lambda: make(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        print(json.dumps([vars(answer) for answer in in_worker(lambda: ask(Path(sys.argv[2])))]))
