"""For tests only: the store of the process with a few runs and findings in it, as the real program would have stored them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.dashboards.otlp import HOSTILE, body, cycle

from actorscope.analysis.runner import Runner
from actorscope.dashboards import data
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import span_rows
from actorscope.settings import AnalysisSettings


def keep(store: Store, first_seq: int, body: bytes) -> None:
    """Store a request and look at it."""
    store.insert("span_rows", span_rows("test", first_seq, [record_of("traces", body)]))
    Runner(store, AnalysisSettings()).run_to_end()


@pytest.fixture
def filled(store: Store) -> Store:
    """Two findings in two traces: one of plain names, one of hostile ones."""

    def fill() -> None:
        keep(store, 1, body(cycle("a1" * 16)))
        keep(store, 100, body(cycle("b2" * 16, *HOSTILE)))

    in_worker(fill)
    return store


@pytest.fixture
def connected(filled: Store) -> Iterator[Store]:
    """The views and the API know the filled store."""
    data.connect(filled, lambda: {"status": "ok", "spans_stored": 8, "ingest_lag_seconds": 0.0})
    yield filled
    data.disconnect()
