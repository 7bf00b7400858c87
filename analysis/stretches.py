"""The model calls of runs that ask again and again: how far the context has grown, and how much of an answer is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis import likeness
from actorscope.analysis.spending import LATEST
from actorscope.analysis.tasks import plain
from actorscope.ingest.store.client import Store

STRETCH: Any = {
    "trace_id": pl.String, "run_span_id": pl.String, "span_id": pl.String, "start_time": pl.Datetime("ns", "UTC"), "nth": pl.Int64,
    "input_tokens": pl.Int64, "cost_usd": pl.Float64, "growth": pl.Float64, "novelty": pl.Float64,
}  # fmt: skip
"""`nth` counts the calls of the run, `growth` is the context as a multiple of the first one, `novelty` the share of runs of
four words in the latest answers that no earlier answer of the run has; only known where the context has grown a lot."""
FEWEST = 8
"""Runs with fewer calls are not looked at."""
GROWN = 3.0
_MOST = 200
_WORDS = 4
_RUN = ["trace_id", "run_span_id"]


def stretches(store: Store, steps: pl.DataFrame) -> pl.DataFrame:
    """The counted model calls of runs with many of them."""
    calls = steps.filter("is_counted", pl.col("run_span_id").is_not_null(), "is_settled")
    calls = calls.filter(pl.len().over(_RUN) >= FEWEST).sort(*_RUN, "start_time", "span_id")
    calls = calls.group_by(_RUN, maintain_order=True).head(_MOST)
    tokens = pl.col("input_tokens").cast(pl.Int64)
    calls = calls.with_columns(
        (pl.int_range(pl.len()).over(_RUN) + 1).alias("nth"),
        (tokens / tokens.filter(tokens > 0).first().over(_RUN)).alias("growth"),
    )
    grown = calls.filter((pl.col("growth") > GROWN).any().over(_RUN))
    novelty = _novelty(store, grown)
    return calls.join(novelty, on=["trace_id", "span_id"], how="left").select(*STRETCH).cast(STRETCH)


def _novelty(store: Store, calls: pl.DataFrame) -> pl.DataFrame:
    found: list[tuple[str, str, float]] = []
    if calls.height:
        low, high = calls.select(low=pl.col("start_time").min(), high=pl.col("start_time").max()).row(0)
        bounds = {"from": low - timedelta(minutes=1), "to": high + timedelta(minutes=1)}
        traces, spans = (calls[c].unique().sort().to_list() for c in ("trace_id", "span_id"))
        said = store.named("replies", traces=traces, spans=spans, **bounds)
        texts = {(trace, span): plain(text) for trace, span, text in said.iter_rows()}
        for (trace, _), run in calls.group_by(_RUN, maintain_order=True):
            answers = [likeness.grams(texts.get((str(trace), span), ""), _WORDS) for span in run["span_id"]]
            found += [(str(trace), span, share) for span, share in zip(run["span_id"], _shares(answers), strict=True) if share is not None]
    return pl.DataFrame(found, schema={"trace_id": pl.String, "span_id": pl.String, "novelty": pl.Float64}, orient="row")


def _shares(answers: list[likeness.Grams]) -> list[float | None]:
    """By call, how much of the latest answers up to it is in none before these; None where nothing was said."""
    shares: list[float | None] = []
    for end in range(1, len(answers) + 1):
        latest = frozenset[tuple[str, ...]]().union(*answers[max(0, end - LATEST) : end])
        earlier = frozenset[tuple[str, ...]]().union(*answers[: max(0, end - LATEST)])
        shares.append(len(latest - earlier) / len(latest) if latest and earlier else None)
    return shares
