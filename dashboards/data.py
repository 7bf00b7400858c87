"""The one door of the views to the answers; remembers what is costly for a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actorscope.analysis.answers.source import Source


@dataclass
class _Connection:
    store: Source | None = None
    health: Callable[[], dict[str, Any]] = dict


_connection = _Connection()


def connect(store: Source, health: Callable[[], dict[str, Any]]) -> None:
    """Called once by the process before the first page is shown."""
    _connection.store, _connection.health = store, health


def store() -> Source:
    if _connection.store is None:
        raise RuntimeError("the explorer is not connected; start it with `actorscope up`")
    return _connection.store


def health() -> dict[str, Any]:
    return _connection.health()
