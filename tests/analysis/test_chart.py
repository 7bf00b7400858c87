"""The chart of ranks: silent on steady streams whatever their shape, quick when they rise, the same in any batches."""

from __future__ import annotations

import random
from statistics import median

import pytest
from tests.analysis.analyst import Analyst
from tests.make import Made, spans

from actorscope.analysis.chart import Rise, rises
from actorscope.analysis.detectors.cost_regime import Config
from actorscope.ingest.store.client import Store, in_worker

CONFIG = Config()


def found(*streams: list[float]) -> list[Rise]:
    return rises(streams, CONFIG.slack, CONFIG.limit, CONFIG.min_runs)


def heavy(dice: random.Random, runs: int, spread: float) -> list[float]:
    """Logarithms of cost: skewed, and one run in twenty is from another world."""
    return [dice.gauss(0, spread) + (dice.expovariate(0.5) if dice.random() < 0.05 else 0) for _ in range(runs)]


def test_nineteen_of_twenty_steady_streams_stay_silent_for_400_runs() -> None:
    dice = random.Random(4)
    silent = sum(not found(heavy(dice, 400, 0.9), heavy(dice, 400, 0.5)) for _ in range(200))
    assert silent >= 190


@pytest.mark.parametrize(("times", "most"), [(0.69, 15), (1.1, 10)], ids=["twice", "three times"])
def test_a_rise_of_runs_and_their_calls_is_certain_after_a_few_runs(times: float, most: int) -> None:
    dice, delays = random.Random(5), []
    for _ in range(100):
        runs, calls = (heavy(dice, 60, s) + [cost + times for cost in heavy(dice, 45, s)] for s in (0.86, 0.5))
        delays.append(next((rise.at - 59 for rise in found(runs, calls) if rise.at >= 60), 99))
    assert median(delays) <= most


def test_what_came_after_a_rise_is_what_the_next_one_is_measured_against() -> None:
    dice = random.Random(6)
    stream = [level + dice.gauss(0, 0.3) for level in (0, 1, 2) for _ in range(60)]
    first, second = found(stream)
    assert first.began == 0 and abs(first.since - 60) <= 4
    assert second.began == first.since and abs(second.since - 120) <= 4


def test_equal_amounts_are_no_rise() -> None:
    assert not found([1.0] * 400)


def told(store: Store, batches: list[Made]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    def act() -> list[tuple[str, str, list[tuple[str, str]]]]:
        analyst = Analyst(store)
        for batch in batches:
            analyst.look(batch)
        return [(f.severity, f.title, analyst.places(f)) for f in analyst.open("cost_regime")]

    return in_worker(act)


@pytest.mark.parametrize("batches", [1, 4], ids=["at once", "in four batches, some twice"])
def test_batches_do_not_change_the_rise(store: Store, batches: int) -> None:
    text = """
    - {trace: usual, repeat: 30, every: 1h, spans: [{agent: writer, task: report, children: [{chat: gpt-4o, cost: 0.1}]}]}
    - {trace: dear, at: 40h, repeat: 14, every: 1h, spans: [{agent: writer, task: report, children: [{chat: gpt-4o, cost: 0.3}]}]}
    """
    made = spans(text)
    size = -(-len(made.rows) // batches)
    parts = [Made(made.rows[at : at + size], made.places) for at in range(0, len(made.rows), size)]
    (finding,) = told(store, parts + parts[1:2] * (batches > 1))
    assert finding[0] == "medium" and [made.name(*place) for place in finding[2]] == ["dear-7/writer"]
