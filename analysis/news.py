"""What the output of code told an agent that it did not know: counted in words that nobody in its run had said before.

An agent that acts through code reads what its code puts out. Of each step of that kind is counted how many words of the output
were new, that is neither in the request nor in what the model had said (its own code included) nor in an earlier output; and
how many are in the answer with the code itself. A few words that every output of a run has are its frame and do not count.
"""

from __future__ import annotations

import polars as pl

from actorscope.analysis.reading import chunks
from actorscope.analysis.turns import inner_steps
from actorscope.ingest.store.client import Store

Text = tuple[str, frozenset[int], bool]
"""A span, the words of what was said in it, and whether that was an output."""
_FEWEST = 3
"""Outputs of a run from which a frame can be told, and steps of code from which texts are read at all."""
_FRAME = 16
"""Words of a frame at most; outputs that share more say the same."""
_CHUNK = 200
_RUN = ["trace_id", "run_span_id"]
_NEWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "new_words": pl.Int64, "own_words": pl.Int64, "echoed_words": pl.Int64, "is_plain": pl.Boolean, "said": pl.List(pl.UInt64),
}  # fmt: skip
_PLACE: dict[str, pl.DataType | type[pl.DataType]] = {"trace_id": pl.String, "span_id": pl.String}
_ACTS = ("action", "echo", "run", "wait", "handoff")


def code_outputs(store: Store, steps: pl.DataFrame) -> pl.DataFrame:
    """The steps that hold an answer of a model and had an output, with the columns of _NEWS.

    `is_plain`: the answer had code, and the step did nothing else that is known: no tool call, no other agent, no write in the
    code. `said` are the words of the answer, `own_words` those of the output without its frame, `echoed_words` what both have.
    """
    inside = pl.col("parent_span_id").alias("span_id")
    calls = steps.filter("is_counted").select("trace_id", inside)
    own = inner_steps(steps).join(calls, on=list(_PLACE), how="semi")
    often = own.filter(pl.len().over(_RUN) >= _FEWEST).select(_RUN).unique()
    if often.is_empty():
        return own.clear().with_columns(pl.lit(None, kind).alias(name) for name, kind in _NEWS.items())
    steps = steps.join(often, on=_RUN, how="semi")
    said = _said(store, steps)
    acts = steps.filter(pl.col("role").is_in(_ACTS)).select("trace_id", inside, acts=pl.lit(True)).unique()
    echoes = said.filter("has_code").select(*_PLACE, echoes=pl.lit(True))
    codes = said.select("trace_id", pl.col("span_id").alias("turn_span_id"), "may_write", code="has_code", said="words")
    own = own.join(_counted(steps, said), on=list(_PLACE)).join(codes, on=["trace_id", "turn_span_id"])
    own = own.join(acts, on=list(_PLACE), how="left").join(echoes, on=list(_PLACE), how="left")
    echoed = pl.col("output").list.set_intersection("said").list.len().cast(pl.Int64)
    is_plain = pl.col("code") & ~pl.col("may_write") & pl.col("acts").is_null() & pl.col("echoes").is_null()
    own = own.with_columns(is_plain.alias("is_plain"), echoed.alias("echoed_words"))
    return own.drop("code", "may_write", "acts", "echoes", "output")


def _said(store: Store, steps: pl.DataFrame) -> pl.DataFrame:
    names = steps["trace_id"].unique().sort()
    low, high = steps.select(low=pl.col("start_time").min(), high=pl.col("start_time").max()).row(0)
    said = pl.concat(store.named("said", traces=part.to_list(), **{"from": low, "to": high}) for part in chunks(names, _CHUNK))
    return said.with_columns(pl.col("has_code", "may_write").cast(pl.Boolean))


def _counted(steps: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """The counts of every output; one run's outputs are all looked at together."""
    is_output = (pl.col("operation") == "step") & pl.col("is_error").not_()
    at = pl.when(pl.col("operation") == "step").then("end_time").otherwise("start_time")
    texts = steps.join(said, on=list(_PLACE)).sort(at, "span_id").select(*_RUN, "span_id", "words", is_output.alias("is_output"))
    runs: dict[tuple[str, str], list[Text]] = {}
    for trace_id, run, span_id, words, is_out in texts.iter_rows():
        runs.setdefault((trace_id, run), []).append((span_id, frozenset(words), is_out))
    found = [(trace_id, *counts) for (trace_id, _), told in runs.items() for counts in _of_run(told)]
    schema = _PLACE | {"new_words": pl.Int64, "own_words": pl.Int64, "output": pl.List(pl.UInt64)}
    return pl.DataFrame(found, schema=schema, orient="row")


def _of_run(texts: list[Text]) -> list[tuple[str, int, int, list[int]]]:
    outputs = [words for _, words, is_output in texts if is_output]
    frame: frozenset[int] = frozenset.intersection(*outputs) if len(outputs) >= _FEWEST else frozenset()
    frame = frame if len(frame) <= _FRAME else frozenset()
    known, counts = set(frame), []
    for span_id, words, is_output in texts:
        if is_output:
            own = words - frame
            counts.append((span_id, len(own - known), len(own), sorted(own)))
        known |= words
    return counts
