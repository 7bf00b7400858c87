"""The spans of a trace as a tree, all at once: who stands below whom, in which order to read them, and what the time went to."""

from __future__ import annotations

from typing import Any

import polars as pl

from actorscope.analysis.paths import parent_rows

Piece = tuple[int, float, float]
"""A row, and the part of its time that the whole had to wait for: from and to, in milliseconds."""


def ordered(spans: pl.DataFrame) -> pl.DataFrame:
    """The spans depth first, with `depth` and `parent`, the row of the parent in the new order (-1 for none).

    One whose parent is missing stands at the top, and so does whatever hangs in a ring of parents: nothing is left out.
    """
    rows = spans.height
    above = parent_rows(spans).tolist()
    below: list[list[int]] = [[] for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        below[above[row]].append(row)  # the latest first: a stack gives them back in the order of time
    order: list[int] = []
    depths = [0] * (rows + 1)
    waiting = below[rows]
    while waiting:
        row = waiting.pop()
        order.append(row)
        depths[row] = depths[above[row]] + 1
        waiting += below[row]
    place = [-1] * (rows + 1)
    for at, row in enumerate(order):
        place[row] = at
    return spans[order].with_columns(
        pl.Series("depth", [depths[row] - 1 for row in order], dtype=pl.Int32),
        pl.Series("parent", [place[above[row]] for row in order], dtype=pl.Int32),
    )


def critical_path(starts: list[float], ends: list[float], parents: list[int]) -> list[Piece]:
    """The pieces of time that, made shorter, make the whole shorter; row -1 is time in which nothing was recorded.

    Read backwards from the last end: a span waited for the child that ended last before, that child for its own, and
    between children the time was the span's. Work that outlives its parent belongs to it none the less. Parents stand
    before their children.
    """
    if not starts:
        return []
    below: list[list[int]] = [[] for _ in range(len(starts) + 1)]
    until_last = list(ends)
    for row in range(len(parents) - 1, -1, -1):
        parent = parents[row]
        below[parent].append(row)
        if parent >= 0:
            until_last[parent] = max(until_last[parent], until_last[row])
    for children in below:
        children.sort(key=lambda row: (until_last[row], starts[row]))  # taken from the end
    pieces: list[Piece] = []
    waiting = [(-1, min(starts), max(until_last))]
    while waiting:
        row, begin, until = waiting.pop()
        children = below[row]
        while children and until_last[children[-1]] > until:
            children.pop()  # it ran beside the path
        if not children or until_last[children[-1]] <= begin:
            pieces.append((row, begin, until))
            continue
        child = children.pop()
        ended, began = until_last[child], max(starts[child], begin)
        pieces.append((row, ended, until))
        waiting += [(row, begin, began), (child, began, ended)]
    return [piece for piece in reversed(pieces) if piece[2] > piece[1]]


def time_went_to(spans: pl.DataFrame, pieces: list[Piece], most: int = 12) -> list[dict[str, Any]]:
    """The critical path by what was waited for: kind and name, milliseconds, share of the whole, the longest span of it."""
    if not pieces:
        return []
    path = pl.DataFrame(pieces, schema={"row": pl.Int64, "from": pl.Float64, "to": pl.Float64}, orient="row")
    told = spans.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), "span_id", "role",
        pl.when(pl.col("role") == "model_call").then("model").when(pl.col("role") == "action").then("tool_name")
        .when(pl.col("role") == "run").then("actor_name").otherwise("name").alias("what"), "name",
    )  # fmt: skip
    path = path.with_columns((pl.col("to") - pl.col("from")).alias("ms")).join(told, on="row", how="left")
    path = path.with_columns(
        pl.when(pl.col("row") < 0).then(pl.lit("gap")).otherwise("role").alias("role"),
        pl.when(pl.col("what") != "").then("what").otherwise("name").fill_null("").alias("what"),
    )
    grouped = path.group_by("role", "what").agg(
        pl.col("ms").sum(),
        pl.col("row").n_unique().alias("spans"),
        pl.col("span_id").sort_by("ms", descending=True).first(),
    )
    total = float(path["ms"].sum()) or 1.0
    grouped = grouped.with_columns((pl.col("ms") / total).alias("share")).sort(["ms", "what"], descending=[True, False])
    return grouped.head(most).to_dicts()
