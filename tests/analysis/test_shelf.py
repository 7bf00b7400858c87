"""Memories at hand say what the store says, are read once and written once a pass; the new tables keep what was known."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.analysis.test_baselines import costs

from actorscope.analysis.baselines import RUN_COSTS, recall, remember
from actorscope.analysis.shelf import Shelf
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrations, statements

_ASKED = costs(("ann", "trip", 1, "t", 0.0), ("bob", None, 1, "t", 0.0), ("eve", None, 1, "t", 0.0))


def test_a_shelf_says_what_the_store_says(store: Store) -> None:
    def act() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        shelf = Shelf(store)
        for at in range(3):
            remember(shelf, RUN_COSTS, costs(("ann", "trip", at, f"t{at}", 0.5), ("bob", None, at, f"u{at}", 0.7)), at)
            shelf.flush()
        wrong = costs(("bob", None, 1, "u1", 0.7))
        remember(shelf, RUN_COSTS, wrong.clear(), 9, before=wrong)
        kept = recall(shelf, RUN_COSTS, _ASKED)
        shelf.flush()
        return kept, recall(store, RUN_COSTS, _ASKED), recall(Shelf(store), RUN_COSTS, _ASKED)

    kept, stored, anew = (frame.sort("actor_id", "at") for frame in in_worker(act))
    assert kept.select("actor_id", "trace_id").rows() == [("ann", "t0"), ("ann", "t1"), ("ann", "t2"), ("bob", "u0"), ("bob", "u2")]
    assert_frame_equal(kept, stored)
    assert_frame_equal(kept, anew)


def test_a_memory_in_use_is_read_once_and_written_once_a_pass(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[str]] = []
    written: list[int] = []
    named, insert_frame = Store.named, Store.insert_frame

    def seen(self: Store, name: str, /, **parameters: Any) -> pl.DataFrame:
        read.append(parameters["keys"])
        return named(self, name, **parameters)

    def noted(self: Store, table: str, rows: pl.DataFrame, token: str = "") -> None:
        written.append(rows.height)
        insert_frame(self, table, rows, token)

    monkeypatch.setattr(Store, "named", seen)
    monkeypatch.setattr(Store, "insert_frame", noted)

    def act() -> None:
        shelf = Shelf(store)
        for at in range(3):
            for who in ("ann", "bob") if at else ("ann",):
                remember(shelf, RUN_COSTS, costs((who, "trip", at, f"t{at}", 0.5)), at)
            shelf.flush()

    in_worker(act)
    assert [len(keys) for keys in read] == [1, 1], "each key once, also one of which nothing was known"
    assert written == [1, 2, 2]


def test_a_cut_pass_leaves_nothing_that_was_not_written(store: Store) -> None:
    def act() -> pl.DataFrame:
        remember(Shelf(store), RUN_COSTS, costs(("ann", "trip", 1, "t1", 0.5)), 1)
        shelf = Shelf(store)
        remember(shelf, RUN_COSTS, costs(("ann", "trip", 1, "t1", 0.5)), 2)
        shelf.flush()
        return recall(store, RUN_COSTS, _ASKED)

    assert in_worker(act)["trace_id"].to_list() == ["t1"]


def test_the_new_order_of_look_ups_keeps_what_was_known_wherever_it_is_cut(store: Store) -> None:
    text = dict(migrations())["0016_lookups.sql"]

    def act() -> list[tuple[int, int]]:
        remember(store, RUN_COSTS, costs(("ann", "trip", 1, "t1", 0.5)), 1)
        store.command(
            "INSERT INTO effects (signature, start_time, trace_id, span_id, version) VALUES ('pay x', now64(9), 'one', 'two', 1)"
        )
        found = []
        for cut in range(len(statements(text)) + 1):
            for statement in [*statements(text)[:cut], *statements(text)]:
                store.command(statement)
            effects = store.named("effects", signatures=["pay x", "pay y"])
            found.append((recall(store, RUN_COSTS, _ASKED).height, effects.height))
        return found

    assert set(in_worker(act)) == {(1, 1)}
