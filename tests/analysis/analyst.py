"""Analysis over spans made in a few words: woven without a store, or run by the real runner over the embedded one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from tests.make import Made, Row, spans

from actorscope.analysis import ledger
from actorscope.analysis.answers.findings import occurrences
from actorscope.analysis.finding import Finding
from actorscope.analysis.runner import Runner
from actorscope.analysis.weave import weave
from actorscope.ingest.store.client import Store
from actorscope.settings import AnalysisSettings


class Analyst:
    """A runner over the test's store, with what it told. Use it on a worker thread."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.store = store
        self.told: list[dict[str, Any]] = []
        self.seq = 1
        # Without validation: tests pass fewer spans at a time than a user may.
        self.runner = Runner(store, AnalysisSettings().model_copy(update=settings), self.told.extend)

    def keep(self, made: Made, rows: Sequence[Row] | None = None) -> None:
        """Insert spans as the writer does."""
        table = made.table(rows, self.seq)
        self.seq += table.num_rows
        self.store.insert("span_rows", table)

    def look(self, made: Made, rows: Sequence[Row] | None = None) -> None:
        """Keep spans and pass until nothing is left."""
        self.keep(made, rows)
        self.runner.run_to_end()

    def open(self, detector: str = "") -> list[Finding]:
        """The findings that are not resolved."""
        found = ledger.open_findings(self.store).values()
        return sorted((f for f in found if detector in ("", f.detector)), key=lambda f: (f.first_evidence_at, f.id))

    def places(self, finding: Finding) -> list[tuple[str, str]]:
        """Where a finding was seen."""
        return sorted((o["trace_id"], o["span_id"]) for o in occurrences(self.store, finding.id))


def woven(text: str) -> tuple[Made, dict[str, Row]]:
    """Spans in the short form and their woven rows by name."""
    made = spans(text)
    return made, made.named(weave(made.frame()))


def by_place(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame in an order that does not depend on how it was made."""
    return frame.sort("trace_id", "span_id")
