"""Pointer doubling against the loop that anyone would write."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from actorscope.analysis.paths import above, at_or_below, depth, nearest, parent_rows, take, topmost


@st.composite
def forests(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Flags and parent rows of a forest whose rows are in no particular order."""
    n = draw(st.integers(1, 40))
    order = draw(st.permutations(range(n)))
    parent = np.full(n, n, dtype=np.int64)
    for place, row in enumerate(order[1:], start=1):
        pick = draw(st.integers(-1, place - 1))
        parent[row] = n if pick < 0 else order[pick]
    return np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n))), parent


def way_up(row: int, parent: np.ndarray) -> list[int]:
    """The rows from one to its root, by a plain loop."""
    found = []
    while row < len(parent):
        found.append(row)
        row = int(parent[row])
    return found


@given(forests())
def test_walks_equal_a_plain_loop(forest: tuple[np.ndarray, np.ndarray]) -> None:
    flags, parent = forest
    n = len(parent)
    for row in range(n):
        path = way_up(row, parent)
        hits = [r for r in path if flags[r]]
        assert nearest(flags, parent)[row] == (hits[0] if hits else n)
        assert topmost(flags, parent)[row] == (hits[-1] if hits else n)
        assert above(flags, parent)[row] == next((r for r in path[1:] if flags[r]), n)
        assert depth(parent)[row] == len(path) - 1


@given(forests())
def test_a_run_and_what_it_started_equal_a_plain_loop(forest: tuple[np.ndarray, np.ndarray]) -> None:
    _, parent = forest
    n = len(parent)
    runs = pl.DataFrame(
        {
            "trace_id": ["t"] * n,
            "span_id": [str(i) for i in range(n)],
            "parent_run_span_id": [None if p == n else str(p) for p in parent],
        }
    )
    for row in range(n):
        assert at_or_below(runs, "t", str(row)) == sorted(str(i) for i in range(n) if row in way_up(i, parent))
    assert at_or_below(runs, "another trace", "0") == ["0"]


def test_a_deep_chain_is_walked_to_its_end() -> None:
    n = 5000
    parent = np.append(np.arange(1, n), n)
    flags = np.zeros(n, dtype=np.bool_)
    flags[-1] = True
    assert (nearest(flags, parent) == n - 1).all()
    assert depth(parent)[0] == n - 1


@given(st.lists(st.integers(0, 11), min_size=12, max_size=12))
def test_rings_in_parent_links_end_as_no_parent(links: list[int]) -> None:
    spans = pl.DataFrame(
        {"trace_id": ["t"] * 12, "span_id": [str(i) for i in range(12)], "parent_span_id": [str(i) for i in links]}
    )
    assert (parent_rows(spans) == 12).all(), "twelve links among twelve rows always lead into a ring"


def test_parents_are_looked_for_in_the_same_trace_only() -> None:
    spans = pl.DataFrame(
        {"trace_id": ["a", "b", "b"], "span_id": ["1", "2", "1"], "parent_span_id": ["", "1", "missing"]}
    )
    assert parent_rows(spans).tolist() == [3, 2, 3]


def test_values_are_taken_at_rows_and_null_at_none() -> None:
    assert take(pl.Series("v", ["x", "y"]), np.array([1, 2, 0])).to_list() == ["y", None, "x"]
    assert take(pl.Series("v", [], dtype=pl.String), np.array([], dtype=np.int64)).to_list() == []


def test_no_rows_are_no_trouble() -> None:
    nothing, flags = np.array([], dtype=np.int64), np.array([], dtype=np.bool_)
    for walk in (nearest, above, topmost):
        assert walk(flags, nothing).tolist() == []
    assert depth(nothing).tolist() == []
