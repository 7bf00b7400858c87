"""Every case of every detector, the whole way: kept in the store, woven, judged, read back as findings."""

from __future__ import annotations

from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.make import Case, cases

from actorscope.ingest.store.client import Store, in_worker

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.detector}-{c.path.stem}")
def test_case(case: Case, store: Store) -> None:
    found, others = in_worker(lambda: _findings(case, store))
    assert found == [_wanted(each, found) for each in case.expect]
    assert others <= set(case.also), "another detector fired; name it under `also` if it is right"


def _findings(case: Case, store: Store) -> tuple[list[dict[str, Any]], set[str]]:
    analyst = Analyst(store, detectors={case.detector: case.thresholds})
    analyst.look(case.made)
    found = [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "subject": finding.subject["name"],
            "evidence": [f"{e['role']} @ {case.made.name(e['trace_id'], e['span_id'])}" for e in finding.evidence],
            "places": sorted(case.made.name(*place) for place in analyst.places(finding)),
            "count": finding.count,
        }
        for finding in analyst.open(case.detector)
    ]
    return found, {f.detector for f in analyst.open()} - {case.detector}


def _wanted(expected: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    """An expectation; without `places` the finding is expected in one place, that of its first accusing evidence."""
    accusing = [e.partition(" @ ")[2] for e in expected["evidence"] if not e.startswith("context")]
    places = expected.get("places")
    if places is None:
        places = next((f["places"] for f in found if len(f["places"]) == 1 and f["places"][0] in accusing), ["one"])
    return {**expected, "places": sorted(places), "count": len(places)}
