"""Two runs side by side: their steps aligned, what was added, removed or changed, and the difference in what they cost."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from actorscope.analysis.answers.run import Run, whole
from actorscope.ingest.store.client import Store

MOST_STEPS = 5000
_VARIES = re.compile(r"[0-9a-f]{8,}|\d+", re.I)
_MUCH = 0.25  # times differ by chance, and so do tokens of a model
Step = dict[str, Any]
Pair = tuple[int | None, int | None]


def stored(store: Store, first: str, second: str) -> dict[str, Any] | None:
    """`compare` of two traces; None when no span of one of them is stored."""
    one, other = whole(store, first), whole(store, second)
    return None if one is None or other is None else compare(one, other)


def compare(a: Run, b: Run) -> dict[str, Any]:
    """Steps are runs, model calls and actions, in the order of the tree; of a trace without any, all spans.

    Two steps are the same when actor, kind, tool or model, and name (but for numbers and ids in it) are; the alignment
    keeps as many of them in order as can be. What stands between two kept steps is paired when actor and kind are the same.
    """
    left, right = _steps(a), _steps(b)
    pairs = aligned([step["key"] for step in left], [step["key"] for step in right])
    pairs = _replaced(pairs, left, right)
    steps = [_told(left, right, pair) for pair in pairs]
    changes = [step["change"] for step in steps]
    return {
        "a": _brief(a),
        "b": _brief(b),
        "totals": _totals(a, b),
        "scopes": _gained(a.spans, b.spans, "scopes"),
        "targets": _gained(a.spans, b.spans, "target"),
        "steps": steps,
        "counts": {word: changes.count(word) for word in ("same", "changed", "added", "removed")},
        "is_cut": max(_number_of_steps(a), _number_of_steps(b)) > MOST_STEPS,
    }


def aligned(left: list[str], right: list[str]) -> list[Pair]:
    """The longest common subsequence of two lists, and between its members what only one of them has."""
    start, end = 0, 0
    least = min(len(left), len(right))
    while start < least and left[start] == right[start]:
        start += 1
    while end < least - start and left[-1 - end] == right[-1 - end]:
        end += 1
    codes = {key: at for at, key in enumerate({*left, *right})}
    middle = _longest(
        np.array([codes[key] for key in left[start : len(left) - end]], dtype=np.int32),
        np.array([codes[key] for key in right[start : len(right) - end]], dtype=np.int32),
    )
    pairs: list[Pair] = [(at, at) for at in range(start)]
    pairs += [(None if i is None else i + start, None if j is None else j + start) for i, j in middle]
    return pairs + [(len(left) - at, len(right) - at) for at in range(end, 0, -1)]


def _longest(left: Any, right: Any) -> list[Pair]:
    """One row of the table of lengths at a time: a running maximum does what a loop over its cells would do."""
    table = np.zeros((len(left) + 1, len(right) + 1), dtype=np.int16)
    for i in range(len(left)):
        best = np.maximum(table[i, 1:], table[i, :-1] + (right == left[i]))
        table[i + 1, 1:] = np.maximum.accumulate(best)
    pairs: list[Pair] = []
    i, j = len(left), len(right)
    while i or j:
        if i and j and left[i - 1] == right[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif j and (not i or table[i, j - 1] >= table[i - 1, j]):
            j -= 1
            pairs.append((None, j))
        else:
            i -= 1
            pairs.append((i, None))
    return pairs[::-1]


def _replaced(pairs: list[Pair], left: list[Step], right: list[Step]) -> list[Pair]:
    """Between two kept steps, one that is gone and one that is new are a pair when the same actor did the same kind."""
    made: list[Pair] = []
    gone: list[int] = []
    new: list[int] = []

    def settle() -> None:
        waiting = list(new)
        for i in gone:
            j = next((j for j in waiting if left[i]["alike"] == right[j]["alike"]), None)
            if j is not None:
                made.extend((None, skipped) for skipped in waiting[: waiting.index(j)])
                del waiting[: waiting.index(j) + 1]
            made.append((i, j))
        made.extend((None, j) for j in waiting)
        gone.clear()
        new.clear()

    for i, j in pairs:
        if i is not None and j is not None:
            settle()
            made.append((i, j))
        elif i is not None:
            gone.append(i)
        elif j is not None:
            new.append(j)
    settle()
    return made


def _number_of_steps(run: Run) -> int:
    return int((run.spans["role"] != "").sum()) or run.spans.height


def _steps(run: Run) -> list[Step]:
    spans = run.spans.filter(pl.col("role") != "")
    told = (spans if spans.height else run.spans).head(MOST_STEPS).select(
        "span_id", "name", "role", "actor_name", "tool_name", "model", "depth", "offset_ms", "duration_ms", "cost_usd",
        "is_error", "error_type", "is_open", "target", "scopes", "side_effect",
        (pl.col("input_tokens").fill_null(0) + pl.col("output_tokens").fill_null(0)).alias("tokens"),
    )  # fmt: skip
    steps = told.to_dicts()
    for step in steps:
        step["scopes"] = sorted(step["scopes"] or [])
        alike = (step["actor_name"], step["role"])
        step["alike"] = alike
        step["key"] = "\0".join((*alike, step["tool_name"] or step["model"], _VARIES.sub("#", step["name"])))
    return steps


def _told(left: list[Step], right: list[Step], pair: Pair) -> dict[str, Any]:
    a = None if pair[0] is None else left[pair[0]]
    b = None if pair[1] is None else right[pair[1]]
    if a is None or b is None:
        differences: list[str] = []
        change = "added" if a is None else "removed"
    else:
        differences = _differences(a, b)
        change = "changed" if differences else "same"
    return {"change": change, "differences": differences, "a": _public(a), "b": _public(b)}


def _public(step: Step | None) -> dict[str, Any] | None:
    return None if step is None else {key: value for key, value in step.items() if key not in ("key", "alike")}


def _differences(a: Step, b: Step) -> list[str]:
    """What is not the same in two steps that are paired; numbers count when they are far apart."""
    exact = ("tool_name", "model", "target", "scopes", "side_effect", "is_error", "error_type", "is_open")
    found = [name for name in exact if a[name] != b[name]]
    for name, least in (("tokens", 20), ("cost_usd", 0.0001), ("duration_ms", 200)):
        one, other = a[name] or 0, b[name] or 0
        if abs(one - other) > max(least, _MUCH * max(one, other)):
            found.append(name)
    return found


def _totals(a: Run, b: Run) -> list[dict[str, Any]]:
    """Numbers of both runs, and the second less the first."""
    names = ("duration_ms", "cost_usd", "input_tokens", "output_tokens", "runs", "model_calls", "actions", "errors", "spans")
    ones, others = a.told["summary"], b.told["summary"]
    return [
        {"name": name, "a": ones[name], "b": others[name], "difference": (others[name] or 0) - (ones[name] or 0)}
        for name in names
    ]


def _gained(a: pl.DataFrame, b: pl.DataFrame, column: str) -> dict[str, list[str]]:
    """What only the second has, and only the first."""
    ones, others = _values(a, column), _values(b, column)
    return {"added": sorted(others - ones), "removed": sorted(ones - others), "kept": sorted(ones & others)}


def _values(spans: pl.DataFrame, column: str) -> set[str]:
    values = spans[column]
    values = values.explode() if values.dtype == pl.List else values
    return {value for value in values.drop_nulls().unique().to_list() if value}


def _brief(run: Run) -> dict[str, Any]:
    top = run.spans.filter(pl.col("role") == "run").head(1).to_dicts()
    told = {key: top[0][key] if top else "" for key in ("actor_id", "actor_name", "task_kind", "span_id")}
    return {"trace_id": run.told["trace_id"], "summary": run.told["summary"], **told}
