"""Memories are bounded, and neither the order of arrival nor repetition changes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.make import BASE

from actorscope.analysis.baselines import _MEMBERS, FIRST_USES, RUN_COSTS, Memory, _merge, remember
from actorscope.ingest.store.client import Store, in_worker

EARLIEST, LATEST = Memory("e", ("k",), 3, "earliest"), Memory("l", ("k",), 3, "latest")
NONE = pl.DataFrame(schema=_MEMBERS)


def members(*rows: tuple[str, int, str, float]) -> pl.DataFrame:
    timed = [(key, BASE + timedelta(minutes=at), trace, value) for key, at, trace, value in rows]
    return pl.DataFrame(timed, schema=_MEMBERS, orient="row")


# One member is one run: what is known of it does not contradict itself.
SIGHTS = st.lists(st.integers(0, 11), max_size=24).map(
    lambda ids: members(*((f"key{i % 2}", 97 * i % 12, f"trace{i}", float(i)) for i in ids))
)


@pytest.mark.parametrize("memory", [EARLIEST, LATEST], ids=lambda m: m.keep)
@given(first=SIGHTS, second=SIGHTS, third=SIGHTS)
def test_merging_does_not_depend_on_the_order_and_repetition_changes_nothing(
    memory: Memory, first: pl.DataFrame, second: pl.DataFrame, third: pl.DataFrame
) -> None:
    def merged(*parts: pl.DataFrame) -> pl.DataFrame:
        known = NONE
        for part in parts:
            known = _merge(memory, known, part)
        return known

    once = merged(pl.concat([first, second, third]))
    assert_frame_equal(merged(first, second, third), once)
    assert_frame_equal(merged(third, first, second), once)
    assert_frame_equal(merged(first, second, third, second, first), once)
    assert once.group_by("key").len()["len"].max() in (None, 1, 2, 3)


@given(sights=st.permutations([("k", 5, "t", 0.0), ("k", 9, "t", 0.0), ("k", 7, "t", 0.0), ("k", 8, "u", 0.0)]))
def test_the_earliest_memory_keeps_the_earliest_sight_of_a_trace(sights: list[Any]) -> None:
    known = NONE
    for sight in sights:
        known = _merge(EARLIEST, known, members(sight))
    assert known.select("trace_id", "at").rows() == [
        ("t", BASE + timedelta(minutes=5)),
        ("u", BASE + timedelta(minutes=8)),
    ]


def test_the_latest_memory_takes_over_a_cost_that_has_grown() -> None:
    known = _merge(LATEST, members(("k", 1, "t", 0.1), ("k", 2, "u", 0.2)), members(("k", 1, "t", 0.9)))
    assert known.select("trace_id", "value").rows() == [("t", 0.9), ("u", 0.2)]


def in_store(act: Callable[[], Any]) -> Any:
    return in_worker(act)


def costs(*rows: tuple[str, str | None, int, str, float]) -> pl.DataFrame:
    timed = [(a, k, "usd", BASE + timedelta(minutes=at), t, v) for a, k, at, t, v in rows]
    return pl.DataFrame(timed, schema=["actor_id", "task_kind", "unit", "at", "trace_id", "value"], orient="row")


def test_what_is_remembered_comes_back_for_the_touched_keys_only(store: Store) -> None:
    def act() -> tuple[pl.DataFrame, pl.DataFrame, int]:
        remember(store, RUN_COSTS, costs(("ann", "trip", 1, "t1", 0.5), ("bob", None, 2, "t2", 0.7)), 1)
        first = remember(store, RUN_COSTS, costs(("bob", None, 3, "t3", 0.8)), 2)
        again = remember(store, RUN_COSTS, costs(("bob", None, 3, "t3", 0.8)), 3)
        written = store.frame("SELECT count() AS n FROM baselines WHERE version = 3")["n"][0]
        return first, again, written

    first, again, written = in_store(act)
    assert first.select("actor_id", "task_kind", "trace_id", "value").rows() == [
        ("bob", "", "t2", 0.7),
        ("bob", "", "t3", 0.8),
    ]
    assert_frame_equal(first, again)
    assert written == 0, "what changes nothing is not written"


def test_a_member_that_turned_out_to_be_somebody_elses_is_forgotten(store: Store) -> None:
    def act() -> tuple[pl.DataFrame, pl.DataFrame]:
        wrong = costs(("desk", "trip", 1, "t1", 0.5))
        remember(store, RUN_COSTS, wrong, 1)
        remember(store, RUN_COSTS, costs(("desk/clerk", "trip", 1, "t1", 0.5)), 2, before=wrong)
        return tuple(remember(store, RUN_COSTS, costs((who, "trip", 2, "t2", 1)), 3) for who in ("desk", "desk/clerk"))  # type: ignore[return-value]

    wrong, right = in_store(act)
    assert wrong["trace_id"].to_list() == ["t2"]
    assert right["trace_id"].to_list() == ["t1", "t2"]


def test_memories_do_not_mix_and_stay_bounded(store: Store) -> None:
    def act() -> pl.DataFrame:
        use = pl.DataFrame(
            {
                "actor_id": ["ann"] * 20,
                "task_kind": [None] * 20,
                "tool_name": ["send"] * 20,
                "at": [BASE + timedelta(minutes=i) for i in range(20)],
                "trace_id": [f"t{i:02}" for i in range(20)],
                "value": [0.0] * 20,
            },
            schema_overrides={"task_kind": pl.String},
        )
        for row in reversed(range(20)):
            found = remember(store, FIRST_USES, use[row], 20 - row)
        return found

    assert in_store(act)["trace_id"].to_list() == [f"t{i:02}" for i in range(8)]
