"""What an actor reaches is remembered by event time: any order, cut and repetition of traces gives the same findings."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import empty
from tests.make import Made, spans

from actorscope.analysis.detectors.authority_scope_creep import upper
from actorscope.analysis.growth import resource
from actorscope.ingest.store.client import Store, in_worker

STORY = """
- {trace: usual, at: -63d, repeat: 9, every: 7d, spans: [{agent: helper, children: [{tool: search, effect: read}]}]}
- {trace: new, at: 10m, repeat: 5, every: 10m, spans: [{agent: helper, children: [{tool: "tool{n}", effect: read}]}]}
- {trace: early, at: -20d, spans: [{agent: helper, children: [{tool: tool2, effect: read}]}]}
- {trace: other, at: 5m, repeat: 2, every: 1m, spans: [{agent: clerk, children: [{tool: "other{n}", effect: write}]}]}
"""


def _told(store: Store, made: Made, batches: list[list[dict[str, Any]]]) -> list[Any]:
    empty(store)
    analyst = Analyst(store)
    for batch in batches:
        analyst.look(made, batch)
    found = analyst.open("authority_scope_creep")
    kept = "SELECT * EXCEPT version FROM baselines FINAL WHERE notEmpty(trace_id) AND name LIKE '%reaches' ORDER BY name, key"
    memories = store.frame(kept)
    return [[(f.subject["name"], f.baseline, f.evidence, analyst.places(f)) for f in found], memories.to_dicts()]


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_traces_and_spans_gives_the_same(store: Store, seed: int) -> None:
    made, dice = spans(STORY), random.Random(seed)

    def act() -> None:
        ordered = _told(store, made, [made.rows])
        ((_, baseline, evidence, places),) = ordered[0]
        assert places == [made.places["new-5/tool5"]], "of five new tools one was used weeks before"
        assert (baseline["observed"], baseline["threshold"], len(evidence)) == (4, 3, 4)
        hands: list[list[dict[str, Any]]] = [[] for _ in range(5)]
        for row in made.rows:
            for _ in range(dice.choice((1, 1, 2))):
                hands[dice.randrange(5)].append(row)
        assert _told(store, made, [dice.sample(hand, len(hand)) for hand in hands if hand]) == ordered

    in_worker(act)


def test_a_pass_without_anything_new_reads_no_memory_of_actors(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = spans(STORY)

    def act() -> list[int]:
        analyst = Analyst(store)
        analyst.look(made)
        asked: list[int] = []
        named = Store.named

        def counted(self: Store, name: str, /, **given: Any) -> pl.DataFrame:
            if name == "baselines" and given["memory"] == "reaches":
                asked.append(len(given["keys"]))
            return named(self, name, **given)

        monkeypatch.setattr(Store, "named", counted)
        analyst.look(spans("- {trace: later, at: 2h, spans: [{agent: helper, children: [{tool: search, effect: read}]}]}"))
        return asked

    assert in_worker(act) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("ann@example.org", "example.org"), ("docs.example.org/a/b?c=1", "docs.example.org"), ("/srv/reports/may/a.csv", "/srv/reports"),
        ("/etc/passwd", "/etc"), ("general", "name"), ("hmac-sha256:00", "fingerprint"), (None, ""),
    ],
)  # fmt: skip
def test_a_target_has_a_class(target: str | None, expected: str) -> None:
    frame = pl.DataFrame({"target": [target]}, schema={"target": pl.String})
    assert frame.select(resource(pl.col("target"))).item() == expected


@pytest.mark.parametrize(("mean", "limit"), [(0.125, 2), (1.0, 5), (2.75, 9), (10.0, 21)])
def test_the_limit_is_the_quantile_of_the_poisson_distribution(mean: float, limit: int) -> None:
    assert upper(mean, 0.999) == limit
