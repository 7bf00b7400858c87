"""Walks up trees of spans, all spans at once: pointer doubling on arrays of parent rows.

A row number equal to the number of rows means "none". Parent links that form a ring (hostile input) end as "none".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Row = dict[str, Any]

IS_FIRST = pl.coalesce("parent_span_id", pl.lit("")).str.strip_chars("0") == ""
"""The span names no parent: it stands at the top of its trace, not below one that is missing."""


def flag(expression: pl.Expr, steps: pl.DataFrame) -> Flags:
    """The rows for which an expression is true."""
    return np.asarray(steps.select(expression.fill_null(False)).to_series().to_numpy(), dtype=np.bool_)


def parent_rows(spans: pl.DataFrame) -> Rows:
    """For each span the row of its parent within the same trace."""
    ids = spans.select("trace_id", "span_id").with_row_index("row").unique(["trace_id", "span_id"], keep="first")
    parents = spans.select("trace_id", pl.col("parent_span_id").alias("span_id")).join(
        ids, on=["trace_id", "span_id"], how="left", maintain_order="left"
    )
    return without_rings(parents["row"].fill_null(spans.height).cast(pl.Int64).to_numpy().copy())


def without_rings(parent: Rows) -> Rows:
    """Rows that never reach a root have no parent."""
    n = len(parent)
    step = np.append(parent, n)
    for _ in range(int(n).bit_length() + 1):
        step = step[step]
    parent[step[:n] < n] = n
    return parent


def nearest(flags: Flags, parent: Rows) -> Rows:
    """For each row the nearest row at or above it that is flagged."""
    n = len(parent)
    step = np.append(np.where(flags, np.arange(n), parent), n)
    for _ in range(max(1, int(n).bit_length() + 1)):
        further = step[step]
        if np.array_equal(further, step):
            break
        step = further
    result = step[:n]
    return np.where(np.append(flags, False)[result], result, n)


def above(flags: Flags, parent: Rows) -> Rows:
    """As `nearest`, but strictly above."""
    return np.append(nearest(flags, parent), len(parent))[parent]


def topmost(flags: Flags, parent: Rows) -> Rows:
    """For each row the flagged row on its path that is nearest to the root."""
    n = len(parent)
    up = np.append(np.where(flags, above(flags, parent), n), n)
    first = nearest(flags, parent)
    step = np.where(up == n, np.arange(n + 1), up)
    for _ in range(max(1, int(n).bit_length() + 1)):
        further = step[step]
        if np.array_equal(further, step):
            break
        step = further
    return step[first]


def at_or_below(runs: pl.DataFrame, trace_id: str, span_id: str) -> list[str]:
    """A run and the runs that it started, directly or not; `runs` has trace_id, span_id and parent_run_span_id."""
    rows = runs.filter(pl.col("trace_id") == trace_id).select("span_id", "parent_run_span_id").unique().iter_rows()
    below: dict[str | None, list[str]] = {}
    for child, above_it in rows:
        below.setdefault(above_it, []).append(child)
    found, waiting = {span_id}, [span_id]
    while waiting:
        fresh = [child for child in below.get(waiting.pop(), []) if child not in found]
        found.update(fresh)
        waiting += fresh
    return sorted(found)


def ancestors(run: Row, runs: Mapping[tuple[Any, Any], Row]) -> Iterator[Row]:
    """The runs above a run, nearest first; `runs` by trace and span. A ring (hostile input) ends where it closes."""
    seen = {run["span_id"]}
    at = runs.get((run["trace_id"], run["parent_run_span_id"]))
    while at is not None and at["span_id"] not in seen:
        seen.add(at["span_id"])
        yield at
        at = runs.get((at["trace_id"], at["parent_run_span_id"]))


def take(values: pl.Series, rows: Rows) -> pl.Series:
    """`values` at `rows`; null for none."""
    index = pl.Series(np.where(rows < len(values), rows, 0))
    return pl.select(pl.when(pl.Series(rows < len(values))).then(values.gather(index))).to_series().alias(values.name)


def depth(parent: Rows) -> npt.NDArray[np.int32]:
    """How many rows lie above each row."""
    n = len(parent)
    step = np.append(parent, n)
    count = np.append(parent < n, False).astype(np.int32)
    for _ in range(max(1, int(n).bit_length() + 1)):
        if (step == n).all():
            break
        count = count + count[step]
        step = step[step]
    return count[:n]
