"""What comes late changes what was usual before: which traces are judged again because a memory of `baselines.py` says
something else now of a time before them.

In the order of events nothing is. Runs overlap, so that the memories of the latest runs only count what is later than
`_OVERLAP` against the newest run they know; what a few runs more or less make of a percentile is not worth a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis import baselines, origins, repeats
from actorscope.analysis.hands import HAND_OFFS
from actorscope.analysis.phases import PHASE_COSTS
from actorscope.analysis.whereabouts import WHEREABOUTS
from actorscope.ingest.store.client import Store

_OVERLAP = timedelta(minutes=10)
_DEAR = 1.5
"""Times the median of the runs before from which a run may stand out."""
_AT = pl.Datetime("ns", "UTC")
_OF_KINDS = (baselines.FIRST_USES, baselines.NTH_USES, origins.FIRST_TARGETS)
"""Memories of what the runs of a kind of task did."""
_TRACES: Any = {"trace_id": pl.String, "start_time": _AT}
REVISED: Any = {"subject_id": pl.String, "since": _AT}
FRAMES = {"first_runs", "run_costs", "run_shapes", "failures"}
"""What stands of a subject is judged again where the detector asked for one of these and it was revised."""


def traces(store: Store, since: baselines.Since, members: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Traces that a memory has after the moment since which it says something else; `members` are those memories by name."""
    found = [
        _later(members[memory.name], since[memory.name], memory.key)
        for memory in (*_OF_KINDS, HAND_OFFS, WHEREABOUTS)
        if memory.name in since
    ]
    if (runs := since.get(baselines.FIRST_RUNS.name)) is not None:
        # What a run did is judged by the runs of its kind before it, whatever else is known of its tools and targets.
        late = _later(members["first_runs"], runs, baselines.FIRST_RUNS.key).height > 0
        for memory in _OF_KINDS if late else ():
            found.append(_later(baselines.within(store, memory, runs), runs, baselines.FIRST_RUNS.key))
    for costs in (baselines.RUN_COSTS, baselines.WIDER_COSTS, PHASE_COSTS):
        if costs.name in since:
            dear = _dear(members[costs.name], costs)
            found.append(_later(dear, _long_ago(since[costs.name], members[costs.name], costs.key), costs.key))
    shapes = baselines.RUN_SHAPES
    if shapes.name in since:
        found.append(_later(members[shapes.name], _long_ago(since[shapes.name], members[shapes.name], shapes.key), shapes.key))
    return pl.concat(found) if found else pl.DataFrame(schema=_TRACES)


def revised(since: baselines.Since, members: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Of whom something else is usual now, and since when: `subject_id`, `since`."""
    found = []
    for memory in (baselines.RUN_COSTS, baselines.RUN_SHAPES):
        if memory.name in since:
            late = _long_ago(since[memory.name], members[memory.name], memory.key)
            found.append(late.select(pl.col("actor_id").alias("subject_id"), "since"))
    for memory, subject in ((baselines.FIRST_RUNS, "actor_id"), (repeats.FAILURES, "tool_name")):
        if memory.name in since:
            found.append(since[memory.name].select(pl.col(subject).alias("subject_id"), "since"))
    return pl.concat(found).cast(REVISED) if found else pl.DataFrame(schema=REVISED)


def _later(members: pl.DataFrame, since: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    texts = pl.col(key).fill_null("")
    later = members.with_columns(texts).join(since.with_columns(texts), on=list(key)).filter(pl.col("at") > pl.col("since"))
    return later.select(pl.col("trace_id").str.slice(0, 32), pl.col("at").alias("start_time")).cast(_TRACES)


def _long_ago(since: pl.DataFrame, members: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    texts = pl.col(key).fill_null("")
    newest = members.with_columns(texts).group_by(key).agg(pl.col("at").max().alias("newest"))
    late = since.with_columns(texts).join(newest, on=list(key))
    return late.filter(pl.col("since") < pl.col("newest") - _OVERLAP).select(*key, "since")


def _dear(costs: pl.DataFrame, memory: baselines.Memory) -> pl.DataFrame:
    """Of the runs that a memory of costs has those that may stand out among the ones before them."""
    usual = pl.col("value").rolling_median(memory.size, min_samples=1).shift(1).over(list(memory.key))
    return costs.sort("at", "trace_id").filter((pl.col("value") >= _DEAR * usual).fill_null(False))
