"""Asks the store, from time to time, how senders and ingesters fare, and lets the watches judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from actorscope.analysis.alerts import outbox
from actorscope.analysis.detector import Detector
from actorscope.analysis.finding import Signal
from actorscope.analysis.watches import HOLDINGS, OURSELVES
from actorscope.ingest.store.client import Store

EVERY_SECONDS = 30.0
STANDSTILL_SECONDS = 2.0
HOLDINGS_SECONDS = 3600.0
_YEAR, _MOST_HELD = timedelta(days=365), 200_000
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def look(store: Store, configs: Mapping[str, Any], since: datetime, now: datetime) -> dict[str, list[Signal]]:
    """The signals of every watch over ourselves by its id; `since` is when this process began to watch."""
    frames = {
        "sources": store.named("sources", **{"from": now - _DAY, "hour": now - _HOUR}),
        "reports": reports(store, now - _HOUR),
        "deliveries": outbox.health(store, now - _HOUR),
        "clock": pl.DataFrame({"now": [now], "since": [since], "window_start": [now - _HOUR]}),
    }
    return judged(OURSELVES, frames, configs)


def held(store: Store, configs: Mapping[str, Any], now: datetime) -> dict[str, list[Signal]]:
    """The signals about what actors hold."""
    frames = {
        "holdings": store.named("holdings", **{"from": now - _YEAR, "now": now}, most=_MOST_HELD),
        "clock": pl.DataFrame({"now": [now]}),
    }
    return judged(HOLDINGS, frames, configs)


def judged(watches: Iterable[Detector], frames: Mapping[str, pl.DataFrame], configs: Mapping[str, Any]) -> dict[str, list[Signal]]:
    """The signals of these watches over frames, by the watch's id."""
    return {
        watch.id: watch.detect({name: frames[name].select(columns) for name, columns in watch.needs.items()}, configs[watch.id])
        for watch in watches
    }


def reports(store: Store, since: datetime) -> pl.DataFrame:
    """What ingesters said of themselves, with `counts` as a list of structs of `key` and `value`."""
    found = store.named("reports", **{"from": since})
    pairs = [
        [{"key": key, "value": value} for key, value in zip(names, amounts, strict=True)]
        for names, amounts in found.select("names", "amounts").iter_rows()
    ]
    kind = pl.List(pl.Struct({"key": pl.String(), "value": pl.UInt64()}))
    return found.drop("names", "amounts").with_columns(pl.Series("counts", pairs, kind))


def utc_now() -> datetime:
    return datetime.now(UTC)
