"""Read-only SQL over the documented views, with limits; for the console, the API and `actorscope sql`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.errors import ActorscopeError, PermanentError
from actorscope.ingest.store.client import Store

VIEWS = ("spans", "agent_runs", "delegations", "actions", "model_calls", "approvals", "open_spans", "findings")
_TABLE_FUNCTIONS = ("numbers", "values", "generateSeries", "generate_series", "zeros")
_REFUSED = re.compile(
    r"^(?:file|sleep\w*|dict\w*|joinGet\w*|getServerPort|catboost\w*|hasColumnInTable|initializeAggregation)$", re.I
)
_NODE = re.compile(
    r"^(?P<indent> *)(?P<kind>\w+)(?: (?P<name>[^()\s]+))?(?: \(alias [^)]*\))?(?: *\(children (?P<children>\d+)\))?"
)


class QueryError(ActorscopeError):
    """The SQL cannot or must not be run; the message says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """Rows of a query, and whether there were more than the limit let through."""

    columns: list[str]
    rows: list[list[Any]]
    is_cut: bool
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {"columns": self.columns, "rows": self.rows, "is_cut": self.is_cut, "seconds": self.seconds}


def run(
    store: Store, sql: str, max_rows: int = 10_000, max_seconds: float = 30.0, max_memory_mib: int = 2048
) -> pl.DataFrame:
    """The result of one SELECT over VIEWS, at most `max_rows` + 1 rows (the last tells that there are more).

    Raises QueryError for anything else than one SELECT, for other tables, and when a limit is met.
    """
    statement = sql.strip().rstrip(";").strip()
    if not statement:
        raise QueryError("no SQL was given; try: SELECT title, severity FROM findings")
    if ";" in statement:
        raise QueryError("give one statement without ';' in it (write char(59) for a semicolon in a text)")
    _check(store, statement)
    limits = {
        "max_execution_time": max_seconds,
        "max_memory_usage": max_memory_mib * 2**20,
        "timeout_before_checking_execution_speed": 0,
    }
    try:
        return store.frame(f"SELECT * FROM (\n{statement}\n) LIMIT {max_rows + 1}", settings=limits)
    except ActorscopeError as error:
        raise QueryError(_short(error)) from error


def answer(store: Store, sql: str, max_rows: int = 10_000) -> Answer:
    """`run` with plain JSON values."""
    began = time.monotonic()
    frame = run(store, sql, max_rows)
    shown = frame.head(max_rows)
    return Answer(
        shown.columns,
        [[plain(v) for v in row] for row in shown.iter_rows()],
        frame.height > max_rows,
        round(time.monotonic() - began, 3),
    )


def plain(value: Any) -> Any:
    """A value as JSON: times as RFC 3339, bytes as hex, maps and lists item by item."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and value != value:
        return None
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _short(error: Exception) -> str:
    text = re.sub(r"^store refused to \w+: ", "", str(error))
    return text.split("Stack trace")[0].strip()


def _check(store: Store, statement: str) -> None:
    """The parser of the engine itself says what a statement would touch; nothing of it is executed."""
    try:
        tree = store.text(f"EXPLAIN AST {statement}").replace("\\n", "\n").split("\n")
    except PermanentError as error:
        raise QueryError(_short(error)) from error
    nodes = [match for line in tree if (match := _NODE.match(line))]
    if not nodes or nodes[0]["kind"] != "SelectWithUnionQuery" or nodes[0]["children"] != "1":
        raise QueryError("only a SELECT without FORMAT or INTO OUTFILE can be run here")
    named = {name.lower() for name in re.findall(r"([A-Za-z_]\w*)\s+AS\s*\(", statement, re.I)}
    previous = ""
    for node in nodes:
        kind, name = node["kind"], (node["name"] or "").strip('`"')
        if kind == "Set":
            raise QueryError("SETTINGS cannot be changed here")
        if kind == "TableIdentifier" and name not in VIEWS and (name.lower() not in named or "." in name):
            raise QueryError(f"{name} is no documented view; there are {', '.join(VIEWS)}")
        if kind == "Function" and previous == "TableExpression" and name not in _TABLE_FUNCTIONS:
            raise QueryError(f"the table function {name} cannot be used here")
        if kind == "Function" and _REFUSED.match(name):
            raise QueryError(f"the function {name} cannot be used here")
        previous = kind
