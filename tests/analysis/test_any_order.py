"""However the spans of all cases and stories that fire reach the store, the findings that stand in the end are those of the ordered ones.

All cases are one world over one store, each with services and ids of its own: then one delivery tries every detector, and
what the cases share (tools, errors, minutes) is tried too. The world comes shuffled, cut anywhere, some spans twice, some only
after their trace was judged, and now and then a new runner goes on where the last one stopped.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import empty
from tests.make import Case, Made, Row, cases, spans, told

from actorscope.analysis.detectors import DETECTORS
from actorscope.ingest.store.client import Store, in_worker

_SHARED = (
    "service_name", "conversation_id", "delegation_id", "delegation_parent_id", "task_id", "response_id", "approval_id",
    "credential_id", "execution_id", "execution_original_id", "user_id", "task_kind",
)  # fmt: skip
"""What would tie one case to another."""
_LEFT_OUT = {("cost_budget", "fires_day")}
"""The budget of a day is told at the run that was looked at last: what is told of it follows the passes."""
Found = dict[tuple[str, str], dict[str, Any]]


@cache
def world() -> tuple[Made, dict[str, dict[str, Any]]]:
    """The spans of all cases that fire in order of their ends, and the thresholds that they ask for."""
    made, thresholds = Made(), dict[str, dict[str, Any]]()
    for case in (*cases(), *told(1)):
        if case.kind == "fires" and (case.detector, case.path.stem) not in _LEFT_OUT:
            _add(made, case)
            thresholds[case.detector] = thresholds.get(case.detector, {}) | case.thresholds
    made.rows.sort(key=lambda row: (row["end_time"], row["start_time"], row["span_id"]))
    return made, thresholds


def _add(made: Made, case: Case) -> None:
    name = f"{case.detector}.{case.path.stem}"
    trace = {row["trace_id"]: blake2b(row["trace_id"] + name.encode(), digest_size=16).digest() for row in case.made.rows}
    for row in case.made.rows:
        tied = {column: f"{row[column]} {name}" for column in _SHARED if row.get(column)}
        links = [trace[id_] for id_ in row["link_trace_ids"]]
        made.rows.append({**row, **tied, "trace_id": trace[row["trace_id"]], "link_trace_ids": links})
    for place, (trace_id, span_id) in case.made.places.items():
        made.places[f"{name}: {place}"] = (trace[bytes.fromhex(trace_id)].hex(), span_id)


def standing(analyst: Analyst, made: Made) -> Found:
    """The open findings with all that does not tell when they were found."""
    return {
        (f.detector, f.fingerprint): {
            "id": f.id, "rule": f.rule, "severity": f.severity, "state": f.state, "confidence": f.confidence, "title": f.title,
            "subject": f.subject, "count": f.count, "first": f.first_evidence_at, "last": f.last_evidence_at,
            "evidence": [(e["role"], made.name(e["trace_id"], e["span_id"]), e["why"]) for e in f.evidence],
            "baseline": f.baseline, "counterfactual": f.counterfactual, "edits": f.counterfactual_edits, "impact": f.impact,
            "basis": f.basis, "caveats": f.caveats, "root": f.root, "places": [made.name(*p) for p in analyst.places(f)],
        }
        for f in analyst.open()
    }  # fmt: skip


def delivered(store: Store, parts: Sequence[Sequence[Row]], restarts: Sequence[int] = ()) -> Found:
    """What stands after these parts came one after the other, each judged before the next one; before the parts in
    `restarts` another runner takes over."""
    empty(store)
    made, thresholds = world()
    analyst = Analyst(store, detectors=thresholds)
    for number, part in enumerate(parts):
        if number in restarts:
            seq, analyst = analyst.seq, Analyst(store, detectors=thresholds)
            analyst.seq = seq
        analyst.look(made, part)
    return standing(analyst, made)


@cache
def _whole(store: Store) -> Found:
    return in_worker(lambda: delivered(store, [world()[0].rows]))


def dealt(dice: random.Random) -> list[list[Row]]:
    """The spans in any order in a few parts, every fifth in two of them."""
    hands: list[list[Row]] = [[] for _ in range(dice.randint(3, 4))]
    for row in world()[0].rows:
        for hand in dice.sample(hands, 1 + (dice.random() < 0.2)):
            hand.append(row)
    for hand in hands:
        dice.shuffle(hand)
    return hands


def held_back(dice: random.Random) -> list[list[Row]]:
    """The spans in order in three parts, and in a fourth those that are late; a second collector brings some again."""
    rows = world()[0].rows
    late = set(dice.sample(range(len(rows)), len(rows) // 6))
    cuts = [0, *sorted(dice.sample(range(1, len(rows)), 2)), len(rows)]
    parts = [[rows[n] for n in range(low, high) if n not in late] for low, high in pairwise(cuts)]
    again = [{**row, "ingester": "another"} for row in dice.sample(rows, len(rows) // 6)]
    return [*parts, [*(rows[n] for n in sorted(late)), *again]]


def test_every_detector_has_something_to_say_of_the_world(store: Store) -> None:
    # Without budgets nothing burns; that order makes no difference to these is shown in test_budgets.py.
    assert {detector for detector, _ in _whole(store)} == {d.id for d in DETECTORS} - {"cost_burn"}


@pytest.mark.parametrize(("deliver", "seed"), [(dealt, 3), (held_back, 5)])
def test_however_it_comes_the_same_findings_stand_in_the_end(
    store: Store, deliver: Callable[[random.Random], list[list[Row]]], seed: int
) -> None:
    parts = deliver(random.Random(seed))
    found, whole = in_worker(lambda: delivered(store, parts, [2])), _whole(store)
    for key in sorted(whole.keys() | found.keys()):
        assert found.get(key) == whole.get(key), key


def test_in_order_no_trace_is_judged_again_because_of_a_memory(store: Store) -> None:
    runs = """
    - trace: usual
      repeat: 12
      every: 1h
      spans: [{agent: triager, task: triage, children: [{chat: x, cost: 0.1}, {tool: label, effect: write, args: {n: "{n}"}}]}]
    - {trace: odd, at: 13h, spans: [{agent: triager, task: triage, children: [{chat: x, cost: 5.0}]}]}
    """

    def act() -> tuple[int, int]:
        made, analyst = spans(runs), Analyst(store)
        for at in range(0, len(made.rows), 9):
            analyst.look(made, made.rows[at : at + 9])
        seen = analyst.runner.rows_seen
        analyst.look(spans("- {trace: late, at: 90m, spans: [{agent: triager, task: triage, children: [{chat: x, cost: 0.1}]}]}"))
        return seen - len(made.rows), analyst.runner.rows_seen - seen

    again, late = in_worker(act)
    assert again == 0
    assert 2 < late < 30, "a run that comes late lets those be judged again that may stand out differently, and no others"
