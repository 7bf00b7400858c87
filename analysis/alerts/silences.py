"""Silences: what nobody is to be told of from a moment to a moment, whatever finding it is. A mute is the word on one finding."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.analysis.alerts.heard import matches
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store

_TIMES = ("starts_at", "ends_at", "created_at")
_MOST_MATCHERS, _LONGEST_TEXT = 20, 1000
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Silence:
    """All of `matchers` (label: text, `*` stands for anything) must hold."""

    id: str
    matchers: Mapping[str, str]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime

    def holds(self, labels: Mapping[str, str], now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at and matches(self.matchers, labels)

    def to_json(self, now: datetime) -> dict[str, Any]:
        """For people, with whether it is `pending`, `active` or `expired`."""
        state = "pending" if now < self.starts_at else "active" if now < self.ends_at else "expired"
        return {**asdict(self), "matchers": dict(self.matchers), **{t: getattr(self, t).isoformat() for t in _TIMES}, "state": state}


def silence(
    store: Store,
    matchers: Mapping[str, str],
    author: str,
    reason: str,
    until: datetime | None,
    now: datetime,
    start: datetime | None = None,
) -> Silence:
    """Write a silence; raises DefinitionError with everything that it lacks."""
    starts_at = start or now
    says_something = any(value.strip("*") for value in matchers.values())
    problems = [] if author.strip() else [Problem("author", "is missing", "say who answers for it")]
    problems += [] if reason.strip() else [Problem("reason", "is missing", "say why nobody needs to hear of it")]
    problems += [] if says_something else [Problem("matchers", "are missing", "such as detector=cost_* or subject=refunds")]
    problems += [] if len(matchers) <= _MOST_MATCHERS else [Problem("matchers", f"must be at most {_MOST_MATCHERS}")]
    if not until or until <= max(now, starts_at):
        problems.append(Problem("until", "must lie in the future and after the start", "silences always end"))
    if problems or until is None:
        raise DefinitionError(problems)
    texts = {key[:_LONGEST_TEXT]: value[:_LONGEST_TEXT] for key, value in matchers.items()}
    said = Silence(
        f"sil_{secrets.token_hex(8)}", texts, author.strip()[:_LONGEST_TEXT], reason.strip()[:_LONGEST_TEXT], starts_at, until, now
    )
    _write(store, said, now)
    return said


def end(store: Store, id: str, now: datetime) -> Silence | None:
    """Let a silence end now; None when there is none of that id."""
    found = next((s for s in read(store) if s.id == id), None)
    if found is None or found.ends_at <= now:
        return found
    ended = replace(found, starts_at=min(found.starts_at, now), ends_at=now)
    _write(store, ended, now)
    return ended


def read(store: Store, since: datetime = _EVER) -> list[Silence]:
    """Silences that have not ended before `since`."""
    rows = store.named("silences", **{"from": since}).iter_rows(named=True)
    return [Silence(**{**row, "matchers": json.loads(row["matchers"])}) for row in rows]


def _write(store: Store, said: Silence, now: datetime) -> None:
    row = {**asdict(said), "matchers": json.dumps(dict(said.matchers)), "version": int(now.timestamp() * 1e6)}
    frame = pl.DataFrame([row]).with_columns(pl.col(*_TIMES).cast(pl.Datetime("us", "UTC")), pl.col("version").cast(pl.UInt64))
    store.insert_frame("silences", frame)
