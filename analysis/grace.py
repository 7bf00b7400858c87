"""A new version of an agent may do new things: rules that learn from history speak more softly about its first runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.finding import SEVERITIES, Signal
from actorscope.ingest.store.client import Store

RUNS = 8
"""Runs of a new version that are judged one degree less severely."""
VERSION_RUNS = baselines.Memory("version_runs", ("actor_id", "agent_version"), RUNS, "earliest")
VERSIONS = baselines.Memory("versions", ("actor_id",), 16, "earliest")
"""Members are versions instead of traces."""


def young(store: Store, runs: pl.DataFrame, version: int) -> pl.DataFrame:
    """Of settled runs those that are among the first of a version which is not the first of its agent.

    Columns actor_id, trace_id and agent_version; no row, and no question to the store, where nobody states a version.
    """
    told = runs.filter("is_settled", pl.col("actor_id").is_not_null(), pl.col("agent_version").is_not_null())
    members = told.select("actor_id", "agent_version", "trace_id", at="start_time", value=pl.lit(0.0))
    first_runs = baselines.remember(store, VERSION_RUNS, members, version)
    as_members = members.drop("trace_id").rename({"agent_version": "trace_id"})
    known = baselines.remember(store, VERSIONS, as_members.sort("at").unique(["actor_id", "trace_id"], keep="first"), version)
    oldest = known.sort("at", "trace_id").unique("actor_id", keep="first", maintain_order=True)
    oldest = oldest.select("actor_id", agent_version="trace_id")
    mine = members.select("actor_id", "trace_id", "agent_version").unique()
    later = mine.join(oldest, on=["actor_id", "agent_version"], how="anti")
    return later.join(first_runs, on=["actor_id", "agent_version", "trace_id"], how="semi")


def soften(signals: Iterable[Signal], young: pl.DataFrame) -> list[Signal]:
    """Signals about those runs, one degree lower and saying so."""
    versions = {(actor, trace): version for actor, trace, version in young.select("actor_id", "trace_id", "agent_version").iter_rows()}
    return [_lower(s, versions[(s.subject_id, s.trace_id)]) if (s.subject_id, s.trace_id) in versions else s for s in signals]


def _lower(signal: Signal, version: str) -> Signal:
    caveat = f"one of the first {RUNS} runs of version {version}: told one degree lower"
    lower = SEVERITIES[max(0, SEVERITIES.index(signal.severity) - 1)]
    return replace(signal, severity=lower, caveats=(*signal.caveats, caveat))
