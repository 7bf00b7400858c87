"""Questions to the store in pieces, and its answers made plain."""

from __future__ import annotations

import polars as pl


def chunks(series: pl.Series, size: int) -> list[pl.Series]:
    """The series in pieces of at most `size`; one empty piece of an empty one."""
    return [series.slice(start, size) for start in range(0, max(series.len(), 1), size)]


def nulls(frame: pl.DataFrame) -> pl.DataFrame:
    """ClickHouse has empty text where we have none."""
    return frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())


def lean(spans: pl.DataFrame) -> pl.DataFrame:
    """The same with columns in which nothing stands held as one value: most are empty in most data, and every step that
    picks or sorts rows would carry them along.
    """
    empty = {name: pl.lit(None, dtype) for name, dtype in spans.schema.items() if spans[name].null_count() == spans.height}
    lists = (name for name, dtype in spans.schema.items() if isinstance(dtype, pl.List) and name not in empty)
    none = {name: pl.lit([], spans.schema[name]) for name in lists if spans[name].list.len().max() == 0}
    return spans.with_columns(**empty, **none)
