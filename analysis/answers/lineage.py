"""The chain behind a span: from whoever started the work down to what was done, with the scope at each hop.

Reads the traces that belong together, also those above them, and weaves them as analysis does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from actorscope.analysis.answers.console import plain
from actorscope.analysis.frames import read, woven
from actorscope.analysis.scopes import covers
from actorscope.ingest.store.client import Store

_MOST_TRACES = 8
"""Traces that are followed upwards, one after the other."""
_MOST_HOPS = 64
_COLUMNS = (
    "trace_id", "span_id", "parent_run_span_id", "run_span_id", "role", "name", "start_time", "end_time", "actor_id", "actor_name",
    "actor_basis", "task_kind", "trigger", "user_id", "scope_granted", "scope_used", "scope_authorized", "own_ends", "delegation_id",
    "delegation_mode", "principal_id", "credential_id", "authz_outcome", "approval_id", "approval_status", "approver_id",
    "approver_type", "tool_name", "side_effect", "side_effect_basis", "target", "is_error", "cost_usd", "starter_id", "starter_name",
    "starter_type",
)  # fmt: skip
Place = tuple[str, str]
Row = dict[str, Any]


class _Book:
    """Woven spans by place, read trace by trace as the way up needs them."""

    def __init__(self, store: Store) -> None:
        self._store, self._read = store, set[str]()
        self.rows: dict[Place, Row] = {}
        self.handed: dict[Place, Row] = {}
        """The act of delegation by the run that it started: its trace is not on record, its span id and agent are."""

    def open(self, traces: Iterable[tuple[str, datetime]]) -> bool:
        """Read these traces with what belongs to them; False when they are open already, or too many are."""
        new = {trace: at for trace, at in traces if trace not in self._read}
        if not new or len(self._read) + len(new) > _MOST_TRACES + 200:
            return False
        self._read |= new.keys()
        types: Any = {"trace_id": pl.String, "start_time": pl.Datetime("ns", "UTC")}
        steps, edges = woven(read(self._store, pl.DataFrame(list(new.items()), schema=types, orient="row")))
        for row in steps.select(_COLUMNS).iter_rows(named=True):
            self.rows[row["trace_id"], row["span_id"]] = row
        for edge in edges.filter(pl.col("delegate_span_id").fill_null("") != "").iter_rows(named=True):
            self.handed.setdefault((edge["delegate_span_id"], edge["delegate_id"]), edge)
        return True

    def run_of(self, row: Row) -> Row | None:
        return self.rows.get((row["trace_id"], row["run_span_id"] or ""))

    def above(self, run: Row) -> tuple[Row | None, Row | None]:
        """The run that a run works for, and the act of delegation between the two."""
        edge = self.handed.get((run["span_id"], run["actor_id"]))
        act = self.rows.get((edge["trace_id"], edge["span_id"])) if edge else None
        nested = self.rows.get((run["trace_id"], run["parent_run_span_id"] or ""))
        if nested is not None:
            return nested, {**(act or {}), **(edge or {})} if edge else None
        giver = self.run_of(act) if act else None
        same = giver is not None and (giver["trace_id"], giver["span_id"]) == (run["trace_id"], run["span_id"])
        return (None if same else giver), {**(act or {}), **(edge or {})} if edge else None


def lineages(store: Store, places: Sequence[tuple[str, str, datetime]]) -> list[dict[str, Any] | None]:
    """For each span (trace, span, start) the hops from the starter down to it; None where it is not known.

    `verdict` of a hop compares what it was granted with what the nearest hop above was granted: `same`, `narrower`,
    `wider` (with `beyond`), or `unknown` where either says nothing.
    """
    book = _Book(store)
    book.open((trace, at) for trace, _, at in places)
    return [_lineage(book, trace, span) for trace, span, _ in places]


def lineage(store: Store, trace: str, span: str = "") -> dict[str, Any] | None:
    """The hops above one span, or above the topmost run of a trace."""
    rows = store.named("run_of_span", trace=trace, span="") if not span else store.named("start_of_span", trace=trace, span=span)
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    return lineages(store, [(trace, row["span_id"], row["start_time"])])[0]


def _lineage(book: _Book, trace: str, span: str) -> dict[str, Any] | None:
    row = book.rows.get((trace, span))
    if row is None:
        return None
    run = row if row["role"] == "run" else book.run_of(row)
    path = [] if run is None else _path(book, run)
    top = path[0][0] if path else row
    hops = [_hop(one, act) for one, act in path]
    if row["role"] != "run":
        hops.append(_hop(row, None))
    _judge(hops)
    return {
        "starter": {key: top[f"starter_{key}"] or "" for key in ("id", "name", "type")},
        "hops": hops,
        "traces": len({hop["trace_id"] for hop in hops}),
        "is_cut": len(path) >= _MOST_HOPS,
    }


def _path(book: _Book, run: Row) -> list[tuple[Row, Row | None]]:
    """The runs from the topmost to this one, each with the act of delegation that started it."""
    path: list[tuple[Row, Row | None]] = []
    seen: set[Place] = set()
    at: Row | None = run
    while at is not None and (at["trace_id"], at["span_id"]) not in seen and len(path) < _MOST_HOPS:
        seen.add((at["trace_id"], at["span_id"]))
        up, act = book.above(at)
        if up is None and book.open([(at["trace_id"], at["start_time"])]):
            up, act = book.above(at)
        path.append((at, act))
        at = up
    return path[::-1]


def _hop(row: Row, act: Row | None) -> dict[str, Any]:
    granted = list((act or {}).get("scope_granted") or row["scope_granted"] or [])
    told = {
        key: plain(row[key])
        for key in (
            "trace_id", "span_id", "role", "name", "start_time", "end_time", "actor_id", "actor_name", "actor_basis", "task_kind",
            "principal_id", "credential_id", "authz_outcome", "approval_id", "approval_status", "approver_id", "approver_type",
            "tool_name", "side_effect", "side_effect_basis", "target", "is_error", "cost_usd",
        )
    }  # fmt: skip
    ends = (act or {}).get("own_ends") or row["own_ends"]
    return {
        **told,
        "mode": (act or {}).get("mode") or row["delegation_mode"] or "",
        "basis": (act or {}).get("basis") or ("derived" if row["role"] == "run" and row["parent_run_span_id"] else ""),
        "delegation_id": (act or {}).get("delegation_id") or row["delegation_id"] or "",
        "granted": granted,
        "used": list(row["scope_used"] or []),
        "ends": plain(ends) if ends else None,
    }


def _judge(hops: list[dict[str, Any]]) -> None:
    """The narrowing check: nobody passes on more than they were given, and an action uses no more than its run may."""
    upper: list[str] = []
    for hop in hops:
        mine = hop["granted"] if hop["role"] == "run" else hop["used"]
        beyond = [scope for scope in mine if not covers(upper, scope)] if upper and mine else []
        if not upper or not mine:
            hop["verdict"] = "unknown"
        elif beyond:
            hop["verdict"] = "wider" if hop["role"] == "run" else "outside"
        else:
            hop["verdict"] = ("same" if set(mine) == set(upper) else "narrower") if hop["role"] == "run" else "inside"
        hop["beyond"] = beyond
        upper = hop["granted"] or upper
