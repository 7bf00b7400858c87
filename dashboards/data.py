"""The one door of the views and the API to the answers; remembers what is costly for a moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import streamlit as st

from actorscope.analysis.answers import attention as attention_
from actorscope.analysis.answers import findings as findings_
from actorscope.analysis.answers import fleet as fleet_
from actorscope.analysis.answers import ids as ids_
from actorscope.analysis.answers import run as run_
from actorscope.analysis.answers.source import Source

_T = TypeVar("_T")
_THREADS = 8
_remember = st.cache_data(ttl=2.0, show_spinner=False, max_entries=100)


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")


@dataclass
class _Connection:
    store: Source | None = None
    health: Callable[[], dict[str, Any]] = dict
    pool: ThreadPoolExecutor = field(default_factory=_pool)


_connection = _Connection()


def connect(store: Source, health: Callable[[], dict[str, Any]]) -> None:
    """Called once by the process before the first page is shown."""
    _connection.store, _connection.health = store, health
    for remembered in (attention, finding, run, span, trace_of, latest_runs, fleet):
        remembered.clear()


def disconnect() -> None:
    """Wait for the queries under way; chDB wants no thread in it when the store is closed."""
    pool, _connection.pool = _connection.pool, _pool()
    pool.shutdown(wait=True)


def store() -> Source:
    if _connection.store is None:
        raise RuntimeError("the explorer is not connected; start it with `actorscope up`")
    return _connection.store


def health() -> dict[str, Any]:
    return _connection.health()


def ask(question: Callable[..., _T], *given: Any, **named: Any) -> _T:
    """The answer of `question(store, ...)`, worked out on one of a few threads that stay.

    Streamlit runs every refresh on a new thread, and the store keeps a client for each thread that asks.
    """
    return _connection.pool.submit(question, store(), *given, **named).result()


trace_id = ids_.trace_id
span_id = ids_.span_id


@_remember
def attention(
    families: tuple[str, ...] = (),
    severities: tuple[str, ...] = (),
    states: tuple[str, ...] = (),
    subject: str = "",
    limit: int = 200,
    offset: int = 0,
) -> dict[str, Any]:
    return ask(attention_.attention, families, severities, states, subject, limit, offset)


@_remember
def finding(finding_id: str) -> dict[str, Any] | None:
    return ask(findings_.detail, finding_id)


@_remember
def run(trace: str) -> dict[str, Any] | None:
    return ask(run_.run, trace)


@_remember
def span(trace: str, span: str) -> dict[str, Any] | None:
    return ask(run_.span, trace, span)


@_remember
def trace_of(span: str) -> str | None:
    return ask(run_.trace_of, span)


@_remember
def latest_runs(actor_id: str = "", limit: int = 50) -> list[dict[str, Any]]:
    return ask(run_.latest_runs, actor_id, None, limit)


@_remember
def fleet(since: datetime | None, limit: int = 1000) -> dict[str, Any]:
    return ask(fleet_.fleet, since, limit)
