"""How deep and how wide agents hand on their work, run by run."""

from __future__ import annotations

from typing import Any

import polars as pl

SHAPE: Any = {
    "trace_id": pl.String,
    "actor_id": pl.String,
    "measure": pl.String,
    "at": pl.Datetime("ns", "UTC"),
    "value": pl.Float64,
}
"""Columns of a shape: `trace_id` is `trace:span` of the run, `measure` is `depth` (of runs below, itself included) or `fan_out`."""
_WORTH = {"depth": 3, "fan_out": 8}
"""Less is so common that it need not be remembered."""
_DEEPEST = 1000


def shapes(runs: pl.DataFrame) -> pl.DataFrame:
    """The shapes of runs that are worth remembering; `runs` has trace_id, span_id, parent_run_span_id, actor_id, start_time."""
    runs = runs.filter(pl.col("actor_id").is_not_null())
    below = runs.filter(pl.col("parent_run_span_id").is_not_null())
    if below.is_empty():
        return pl.DataFrame(schema=SHAPE)
    ids = ["trace_id", "span_id"]
    wide = below.group_by("trace_id", pl.col("parent_run_span_id").alias("span_id")).len("value")
    found = [wide.with_columns(measure=pl.lit("fan_out"))]
    rows = runs.filter(pl.col("trace_id").is_in(below["trace_id"].unique().implode()))
    deep = depths(rows.select(*ids, "parent_run_span_id").rows())
    found.append(pl.DataFrame([(*place, value, "depth") for place, value in deep.items()], [*ids, "value", "measure"], orient="row"))
    both = pl.concat([part.select(*ids, pl.col("value").cast(pl.Float64), "measure") for part in found])
    both = both.filter(pl.col("value") >= pl.col("measure").replace_strict(_WORTH))
    both = both.join(runs.select(*ids, "actor_id", at="start_time").unique(ids), on=ids)
    return both.with_columns(pl.concat_str(ids, separator=":").alias("trace_id")).select(*SHAPE).cast(SHAPE)


def depths(runs: list[tuple[str, str, str | None]]) -> dict[tuple[str, str], int]:
    """The length of the longest path of runs below each topmost one; `runs` are trace, span and the span of the run above."""
    above = {(trace, span): parent for trace, span, parent in runs}
    found: dict[tuple[str, str], int] = {}
    for place in above:
        length, top, at = 1, place, above[place]
        while at is not None and (place[0], at) in above and length < _DEEPEST:
            top = (place[0], at)
            length, at = length + 1, above[top]
        found[top] = max(found.get(top, 0), length)
    return found
