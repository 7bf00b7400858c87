"""A span that is delivered again counts once: in views, rollups, cost and findings, whoever delivers it and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.analysis.analyst import Analyst
from tests.analysis.test_runner import HISTORY, IN_STORY, STORY
from tests.conftest import TABLES
from tests.make import Made, Row, spans

from actorscope.ingest.store.client import Store, in_worker

_TOLD = {
    **{view: f"SELECT * FROM {view}" for view in ("agent_runs", "model_calls", "actions", "delegations", "approvals")},
    "spans": "SELECT * EXCEPT received_at FROM spans",
    "cost": "SELECT sum(cost_usd) AS cost FROM model_calls",
    **{table: f"SELECT * EXCEPT version FROM {table} FINAL" for table in ("runs", "effects")},
    "baselines": "SELECT * EXCEPT version FROM baselines FINAL WHERE notEmpty(trace_id)",
    "stitches": "SELECT DISTINCT key, trace_id FROM stitches",
    "findings": "SELECT id, detector, severity, state, count, cost_usd, first_evidence_at, last_evidence_at\n"
    "FROM finding_rows FINAL WHERE count > 0",
    "occurrences": "SELECT finding_id, trace_id, span_id FROM occurrences FINAL WHERE NOT is_retracted",
}
_MERGED = ("span_rows", "span_facts", "runs", "effects", "baselines", "arrivals", "stitches")
Delivery = tuple[str, Sequence[Row]]
Said = dict[str, list[str]]


class _Ingesters:
    """Two ingesters before one store, each with its own numbers, and the analysis behind them."""

    def __init__(self, store: Store) -> None:
        for table in TABLES:
            store.command(f"TRUNCATE TABLE {table}")
        self.store, self.analyst = store, Analyst(store)
        self._seq = {"one": 1, "two": 1}

    def deliver(self, made: Made, ingester: str, rows: Sequence[Row]) -> None:
        table = made.table([{**row, "ingester": ingester} for row in rows], self._seq[ingester])
        self._seq[ingester] += table.num_rows
        self.store.insert("span_rows", table)

    def merge(self) -> None:
        for table in _MERGED:
            self.store.command(f"OPTIMIZE TABLE {table} FINAL")

    def said(self) -> Said:
        self.analyst.runner.run_to_end()
        return {name: _lines(self.store.frame(sql)) for name, sql in _TOLD.items()}


def _lines(frame: pl.DataFrame) -> list[str]:
    return sorted(str(row) for row in frame.with_columns(pl.col(pl.Float64).round(9)).to_dicts())


def _once(store: Store) -> Said:
    story, history = spans(STORY), spans(HISTORY)
    ingesters = _Ingesters(store)
    for made in (story, history):
        ingesters.deliver(made, "one", made.rows)
    return ingesters.said()


def _again(store: Store, dice: random.Random) -> Said:
    """The same in order, in random parts; many spans come twice or thrice, through either ingester, between looks and merges
    or not. (What comes late is `test_batches.py`'s.)
    """
    story, history = spans(STORY), spans(HISTORY)
    ingesters, came = _Ingesters(store), list[Row]()
    for made, rows in ((story, story.rows), (history, history.rows)):
        size = dice.randint(2, 12)
        for part in (rows[at : at + size] for at in range(0, len(rows), size)):
            came += part
            copies = dice.sample(came, dice.randint(0, min(len(came), 2 * size)))
            for ingester, some in ((dice.choice(["one", "two"]), list(part)), ("two", copies), ("one", copies[:2])):
                if some:
                    ingesters.deliver(made, ingester, dice.sample(some, len(some)))
                if dice.random() < 0.4:
                    ingesters.analyst.runner.run_to_end()
            if dice.random() < 0.2:
                ingesters.merge()
    return ingesters.said()


def test_the_story_has_something_to_double(store: Store) -> None:
    said = in_worker(lambda: _once(store))
    assert all(said[name] for name in _TOLD if name != "approvals")
    assert {d for d in IN_STORY if any(f"'{d}'" in line for line in said["findings"])} == IN_STORY


@settings(
    max_examples=2, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(seed=st.integers(0, 2**32))
def test_any_redelivery_counts_once(store: Store, seed: int) -> None:
    whole = in_worker(lambda: _once(store))
    again = in_worker(lambda: _again(store, random.Random(seed)))
    for name in _TOLD:
        assert again[name] == whole[name], name


@pytest.mark.parametrize("merged", [False, True])
def test_a_second_collector_after_analysis_changes_nothing_and_tells_nothing(store: Store, merged: bool) -> None:
    def act() -> tuple[Said, Said, list[Any]]:
        story, history = spans(STORY), spans(HISTORY)
        ingesters = _Ingesters(store)
        for made in (story, history):
            ingesters.deliver(made, "one", made.rows)
        before, told = ingesters.said(), len(ingesters.analyst.told)
        if merged:
            ingesters.merge()
        for made in (history, story):
            ingesters.deliver(made, "two", made.shuffled(3))
        return before, ingesters.said(), ingesters.analyst.told[told:]

    before, after, told = in_worker(act)
    for name in _TOLD:
        assert after[name] == before[name], name
    assert told == [], "nobody is told of a finding because its spans came again"
