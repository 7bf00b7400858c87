"""What all tests share: the one store of the test process, and where the repository is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate

ROOT = Path(__file__).parents[1]
RECORDINGS = Path(__file__).parent / "recordings"
TABLES = ("ingest_reports", 
    "span_rows", "arrivals", "stitches", "segments", "log_rows", "waits", "span_facts", "delegation_rows", "effects", "runs", "baselines",
    "spends", "spend_minutes", "progress", "custody", "revocations", "finding_rows", "occurrences", "transitions", "outbox", "deliveries",
    "finding_marks", "detector_inputs", "holdings", "silences", "alert_targets",
)  # fmt: skip


@pytest.fixture(scope="session")
def chdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The one embedded store of this process: chDB takes a single path. Use `store`, which is empty."""
    opened = Store(f"chdb://{tmp_path_factory.mktemp('chdb') / 'store'}")
    in_worker(lambda: migrate(opened))
    yield opened
    in_worker(opened.close)


@pytest.fixture
def store(chdb: Store) -> Store:
    """An empty store. Call it from a worker thread (`in_worker`): chDB runs no queries on the main thread."""

    in_worker(lambda: empty(chdb))
    return chdb


def empty(store: Store) -> None:
    """Forget everything; on a worker thread."""
    for table in TABLES:
        store.command(f"TRUNCATE TABLE {table}")
