"""What a finding says would have silenced it is tried: applied to the spans of every case that fires, the finding is gone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import empty
from tests.make import Case, cases, told

from actorscope.analysis.detectors import DETECTORS
from actorscope.analysis.finding import Finding
from actorscope.ingest.store.client import Store, in_worker

WITHOUT: set[str] = set()
"""Detectors whose counterfactual is only a sentence yet; this list only gets shorter."""
CASES = [case for case in (*cases(), *told(1)) if case.kind == "fires"]


def _told(case: Case, store: Store, rows: Any = None, thresholds: Any = None) -> list[tuple[Finding, list[tuple[str, str]]]]:
    empty(store)
    given = {key: value for key, value in (thresholds or {}).items() if not key.startswith("budgets.")}
    budgets = [
        budget.model_copy(update={"usd": (thresholds or {}).get(f"budgets.{number}.usd", budget.usd)})
        for number, budget in enumerate(case.budgets)
    ]
    analyst = Analyst(store, detectors={case.detector: {**case.thresholds, **given}}, budgets=budgets)
    analyst.look(case.made, rows)
    return [(finding, analyst.places(finding)) for finding in analyst.open(case.detector)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.detector}-{c.path.stem}")
def test_applied_the_counterfactual_silences_the_finding(case: Case, store: Store) -> None:
    in_worker(lambda: _try(case, store))


def _try(case: Case, store: Store) -> None:
    found = _told(case, store)
    assert found
    for finding, places in found:
        edits = finding.counterfactual_edits
        if not edits:
            assert case.detector in WITHOUT, "give the signal `edits`"
            continue
        thresholds = {e["column"]: e["value"] for e in edits if not e["span_id"]}
        left = {f.fingerprint: p for f, p in _told(case, store, case.made.edited(edits), thresholds)}
        accused = {(e["trace_id"], e["span_id"]) for e in finding.evidence if not e["role"].startswith("context")}
        # A finding of one place is gone; of several the one that speaks for all.
        still = left.get(finding.fingerprint, [])
        assert len(still) < len(places) and not (accused & set(places) & set(still)), finding.counterfactual


def test_only_detectors_that_exist_are_excused_and_none_that_needs_no_excuse() -> None:
    assert WITHOUT <= {d.id for d in DETECTORS}
