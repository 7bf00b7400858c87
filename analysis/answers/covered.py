"""The coverage of what is stored, and of a recording that is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from actorscope.analysis.answers.console import plain
from actorscope.analysis.answers.coverage import Coverage, coverage, recognised
from actorscope.analysis.frames import IS_NOTICE, Touched, read, touch, unstored
from actorscope.ingest.decode import decode_logs, decode_traces
from actorscope.ingest.explain import EXPLAINED, explain, explain_logs
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, query_text
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.semconv.dialects import columns
from actorscope.semconv.generated.events import ACTORSCOPE_SPAN_START

MOST_TRACES = 500
_EVER = datetime(1970, 1, 2, tzinfo=UTC)
_AHEAD, _AROUND = timedelta(days=1), timedelta(days=1)
_MOST_ALIKE = 3
"""Spans of an actor with the same columns filled that are asked again which rule said what."""
_MOST_ASKED = 2000
_IDS = ["trace_id", "span_id"]


def stored(store: Store, since: datetime | None = None, actor: str = "", limit: int = MOST_TRACES) -> dict[str, Any]:
    """Coverage as JSON of the `limit` latest traces since a moment of event time; with an actor, of those it is in.

    Which rule filled which column is told from a sample of their spans.
    """
    until = datetime.now(UTC) + _AHEAD
    bounds: dict[str, Any] = {"from": since or _EVER, "to": until}
    latest = store.named("coverage_traces", actor=actor, limit=limit + 1, **bounds)
    found, newest = Coverage(), store.named("newest_fact").row(0, named=True)
    traces = latest.head(limit)
    if traces.height:
        woven = _woven(store, traces)
        low, high = traces.select(low=pl.col("start_time").min(), high=pl.col("start_time").max()).row(0)
        window = {"from": low - _AROUND, "to": high + _AROUND}
        asked = {"traces": traces["trace_id"].to_list(), **window}
        explained = _asked_again(store, woven.steps, asked)
        told = store.named("coverage_starts", **asked)
        found = coverage(woven.steps, woven.edges, recognised(woven.steps, explained), told)
    return {
        **replace(found, is_cut=latest.height > limit).to_json(),
        "since": plain(since) if since else None,
        "newest_at": plain(newest["at"]) if newest["spans"] else None,
    }


def recording(traces: Sequence[bytes], logs: Sequence[bytes]) -> Coverage:
    """Coverage of export requests that are in no store; every span is asked which rule said what."""
    trace_records = [record_of("traces", body) for body in traces or [b""]]
    log_records = [record_of("logs", body) for body in logs or [b""]]
    spans = _frame(span_rows("recording", 0, trace_records))
    told = _frame(log_rows("recording", 0, log_records))
    starts, said = (
        told.filter(pl.col("event_name") == ACTORSCOPE_SPAN_START),
        told.with_row_index("row").filter(IS_NOTICE.not_()),
    )
    woven = touch(unstored(spans, told))
    by_span = explain(decode_traces([record.body for record in trace_records]))
    by_log = explain_logs(decode_logs([record.body for record in log_records]))
    by_log = by_log.join(said.select("row"), on="row", how="semi")
    explained = pl.concat([_placed(by_span, _hex(spans)), _placed(by_log, _hex(told))])
    pending = spans.filter(pl.col("state") == "started").select("trace_id", pl.col("parent_span_id").alias("span_id"))
    started = pl.concat([starts.select(_IDS), pending])
    return coverage(woven.steps, woven.edges, recognised(woven.steps, explained), _hex(started))


def _woven(store: Store, traces: pl.DataFrame) -> Touched:
    """The traces and no others, woven together with those that belong to them."""
    woven = touch(read(store, traces))
    wanted = traces.select("trace_id")
    return Touched(
        woven.steps.join(wanted, on="trace_id", how="semi"), woven.edges.join(wanted, on="trace_id", how="semi"), woven.below
    )


def _asked_again(store: Store, steps: pl.DataFrame, asked: dict[str, Any]) -> pl.DataFrame:
    """Which rule filled which column, for a few spans of each actor with the same columns, and for a few log records."""
    filled = [
        pl.col(c.name).list.len() > 0 if c.type == "names" else pl.col(c.name).is_not_null()
        for c in columns()
        if c.name in steps.columns
    ]
    shape = pl.concat_str(each.fill_null(False).cast(pl.Int8).cast(pl.String) for each in filled)
    sample = steps.sort("start_time", "span_id", descending=True).with_columns(shape.alias("shape"))
    sample = sample.group_by("actor_id", "dialect", "shape", maintain_order=True).head(_MOST_ALIKE).head(_MOST_ASKED)
    spans = store.arrow(query_text("coverage_spans"), {**asked, "spans": sample["span_id"].to_list()})
    logs = store.arrow(query_text("coverage_logs"), asked)
    parts = [_explained(table, ask) for table, ask in ((spans, explain), (logs, explain_logs))]
    return pl.concat(parts)


def _explained(table: pa.Table, ask: Any) -> pl.DataFrame:
    ids = _frame(table.select(["trace", "span"])).rename({"trace": "trace_id", "span": "span_id"})
    if not table.num_rows:
        return _placed(EXPLAINED.to_frame(), ids.cast(pl.String))
    return _placed(ask(table.combine_chunks().to_batches()[0]), ids)


def _placed(explained: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """Explained columns with the ids of their spans instead of row numbers."""
    numbered = ids.select(_IDS).with_row_index("row")
    return explained.join(numbered, on="row", maintain_order="left").drop("row")


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))


def _hex(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(_IDS).bin.encode("hex"))
