"""What people write on findings: comments, who looks at it, and every mark that was ever said, with author and time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store

KINDS = ("comment", "assigned")
_LONGEST = {"author": 200, "text": 4000, "assignee": 200}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def write(
    store: Store, finding: Mapping[str, Any], kind: str, author: str, text: str, now: datetime, assignee: str = "",
    until: datetime | None = None,
) -> dict[str, str]:
    """Write a note on a finding (its JSON) and return it; raises DefinitionError when something is missing that it needs.

    A note stays with the fingerprint: what is opened again, or follows, shows what was written before. An assignment
    without assignee takes the last one back.
    """
    problems = [] if author.strip() else [Problem("author", "is missing", "say who writes")]
    if kind == "comment" and not text.strip():
        problems.append(Problem("text", "is missing", "a comment says something"))
    if problems:
        raise DefinitionError(problems)
    given = {"author": author, "text": text, "assignee": assignee}
    texts = {key: value.strip()[: _LONGEST[key]] for key, value in given.items()}
    row = {"detector": finding["detector"], "fingerprint": finding["fingerprint"], "at": now, "finding_id": finding["id"]}
    row |= {"kind": kind, **texts, "until": until or _NEVER}
    frame = pl.DataFrame([row]).with_columns(pl.col("at", "until").cast(pl.Datetime("us", "UTC")))
    store.insert_frame("finding_notes", frame)
    return _plain(row)


def of(store: Store, finding: Mapping[str, Any]) -> list[dict[str, str]]:
    """The notes on a finding's fingerprint, the oldest first."""
    rows = store.named("notes", detector=finding["detector"], fingerprint=finding["fingerprint"])
    return [_plain(row) for row in rows.iter_rows(named=True)]


def assignee(notes: list[dict[str, str]]) -> str:
    """Who was last asked to look at it."""
    return next((note["assignee"] for note in reversed(notes) if note["kind"] == "assigned"), "")


def _plain(row: Mapping[str, Any]) -> dict[str, str]:
    until = row["until"].isoformat() if row["until"] > _NEVER else ""
    told = {key: str(row[key]) for key in ("finding_id", "author", "kind", "text", "assignee")}
    return {"at": row["at"].isoformat(), **told, "until": until}
