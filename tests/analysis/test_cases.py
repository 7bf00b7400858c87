"""Every case of every detector, the whole way: kept in the store, woven, judged, read back as findings."""

from __future__ import annotations

import pytest
from tests.make import Case, cases

from actorscope.analysis.casebook import tried
from actorscope.ingest.store.client import Store, in_worker

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.detector}-{c.path.stem}")
def test_case(case: Case, store: Store) -> None:
    outcome = in_worker(lambda: tried(case, store))
    assert outcome.found == outcome.wanted
    assert outcome.others <= set(case.also), "another detector fired; name it under `also` if it is right"
