"""Analysis over spans made in a few words: woven without a store, or run by the real runner over the embedded one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest

from actorscope.analysis import ledger
from actorscope.analysis.answers.findings import occurrences
from actorscope.analysis.finding import Finding
from actorscope.analysis.runner import Runner
from actorscope.analysis.weave import weave
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import AnalysisSettings
from tests.make import Made, Row, spans

Told = list[dict[str, Any]]


@dataclass
class Analyst:
    """A runner over the test's store, with what it told."""

    store: Store
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    told: Told = field(default_factory=list)
    seq: int = 1

    def __post_init__(self) -> None:
        self.runner = Runner(self.store, self.settings, self.told.extend)

    def look(self, made: Made, rows: Sequence[Row] | None = None) -> None:
        """Keep spans as the writer does and pass until nothing is left."""
        table = made.table(rows, self.seq)
        self.seq += table.num_rows
        self.store.insert("span_rows", table)
        self.runner.run_to_end()

    def open(self, detector: str = "") -> list[Finding]:
        """The findings that are not resolved."""
        found = ledger.open_findings(self.store).values()
        return sorted((f for f in found if detector in ("", f.detector)), key=lambda f: (f.first_evidence_at, f.id))

    def places(self, finding: Finding) -> list[tuple[str, str]]:
        """Where a finding was seen."""
        return sorted((o["trace_id"], o["span_id"]) for o in occurrences(self.store, finding.id))


@pytest.fixture
def worker() -> Callable[[Callable[[], Any]], Any]:
    """Runs a function off the main thread, as chDB wants it."""
    return in_worker


@pytest.fixture
def analyst(store: Store) -> Analyst:
    """Call it from a worker thread."""
    return Analyst(store)


def woven(text: str) -> tuple[Made, dict[str, Row]]:
    """Spans in the short form and their woven rows by name."""
    made = spans(text)
    return made, made.named(weave(made.frame()))


def by_place(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame in an order that does not depend on how it was made."""
    return frame.sort("trace_id", "span_id")
