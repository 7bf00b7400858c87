"""Applies `schema/NNNN_*.sql` in order, once each, and refuses a history that was edited; then the views, whenever they changed."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store

_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations
(name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = ReplacingMergeTree ORDER BY name SETTINGS fsync_after_insert = 1
"""


VIEWS = "views.sql"
"""Views hold no data: their file may change, and is applied again when it did."""


def migrations() -> list[tuple[str, str]]:
    """Name and text of every migration, in order."""
    folder = files("actorscope.ingest.store").joinpath("schema")
    return sorted((f.name, f.read_text()) for f in folder.iterdir() if f.name.endswith(".sql") and f.name != VIEWS)


def views() -> str:
    """The text of the views."""
    return files("actorscope.ingest.store").joinpath("schema", VIEWS).read_text()


def statements(text: str) -> list[str]:
    """The statements of a migration, without comment lines."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip(" ;\n")]


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def migrate(store: Store) -> list[str]:
    """Bring the store to the newest schema; returns the names of what was applied.

    Every statement may be repeated, so that a migration which was cut short is simply run again.
    Raises DefinitionError when an applied migration differs from the file of today.
    """
    store.create_database()
    store.command(_LEDGER)
    done = dict(store.frame("SELECT name, checksum FROM migrations FINAL").iter_rows())
    problems = [
        Problem(name, "was changed after it was applied", "add a new migration instead")
        for name, text in migrations()
        if name in done and done[name] != checksum(text)
    ]
    if problems:
        raise DefinitionError(problems)
    applied = []
    for name, text in [*migrations(), (VIEWS, views())]:
        if done.get(name) != checksum(text):
            for statement in statements(text):
                store.command(statement)
            store.command(
                "INSERT INTO migrations (name, checksum) VALUES ({name:String}, {checksum:String})",
                {"name": name, "checksum": checksum(text)},
            )
            applied.append(name)
    return applied
