"""Looks, from time to time, at what stands still, and remembers between looks whether anything moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from actorscope.analysis.finding import Finding
from actorscope.analysis.identity import named
from actorscope.analysis.reading import chunks, nulls
from actorscope.analysis.waiting import Edge, Open, Place, Row, holders, is_run
from actorscope.ingest.store.client import Store

_UTC = pl.Datetime("ns", "UTC")
_DAY = timedelta(days=1)
_MOST_WAITS, _MOST_TRACES, _MOST_STEPS = 5000, 2000, 8
_LAG_SECONDS = 5.0
"""How late an ingester may be for a look to count: what is still on its way could release a wait."""
EDGE: Any = {
    "waiter_id": pl.String, "waiter": pl.String, "target": pl.String, "kind": pl.String, "trace_id": pl.String, "span_id": pl.String,
    "began": _UTC, "cost_usd": pl.Float64,
}  # fmt: skip
DEADLOCK: Any = {
    "edges": pl.List(pl.Struct(EDGE)), "young_seconds": pl.Float64, "still_seconds": pl.Float64, "is_moving": pl.Boolean,
    "is_settled": pl.Boolean, "was_confirmed": pl.Boolean, "behind": pl.Int64, "cost_usd": pl.Float64,
}  # fmt: skip
WAIT: Any = {
    "trace_id": pl.String, "span_id": pl.String, "waiter_id": pl.String, "waiter": pl.String, "kind": pl.String, "target": pl.String,
    "began": _UTC, "seconds": pl.Float64, "target_state": pl.String, "holds": pl.List(pl.String), "in_deadlock": pl.Boolean,
}  # fmt: skip


class Lookout:
    """Keeps what the last looks saw, so that two looks can be compared; a new one starts to compare anew."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[tuple[str, ...], tuple[datetime, tuple[Any, ...]]] = {}
        self.sure_at: datetime | None = None
        """When a look last left nothing that the next one may confirm."""

    def look(self, now: datetime, opened: Iterable[Finding]) -> dict[str, pl.DataFrame]:
        """The frames `deadlocks` and `open_waits`; `opened` are the open findings of the detector of deadlocks."""
        waits = self._store.named("open_waits", **{"from": now - _DAY}, most=_MOST_WAITS)
        if waits.is_empty():
            self._seen, self.sure_at = {}, now
            return {"deadlocks": pl.DataFrame(schema=DEADLOCK), "open_waits": pl.DataFrame(schema=WAIT)}
        bounds = {"from": waits["began"].min() - _DAY, "to": waits["began"].max() + _DAY}  # type: ignore[operator]
        spans = self._open(set(waits["trace_id"]), bounds)
        ended = self._ended({trace for trace, _ in spans} | set(waits["trace_id"]), bounds)
        known = Open(spans, holders(spans, (tuple(lock) for row in ended.values() for lock in row["locks"])))
        self._put_away(waits, spans, now)
        groups = known.deadlocks()
        confirmed = [set(f.baseline.get("edges", ())) for f in opened if f.baseline.get("verdict") == "deadlocked"]
        rows = [self._deadlock(edges, known, ended, confirmed, now) for edges in groups]
        self._seen = {key: value for key, value in self._seen.items() if key in {_key(edges) for edges in groups}}
        if all(row["was_confirmed"] or row["still_seconds"] >= 2 * _LAG_SECONDS for row in rows):
            self.sure_at = now
        stuck = {edge.place for edges in groups for edge in edges}
        waiting = [row for place in sorted(spans) for row in _waits(place, known, ended, now, place in stuck)]
        return {"deadlocks": pl.DataFrame(rows, DEADLOCK), "open_waits": pl.DataFrame(waiting, WAIT)}

    def _open(self, traces: set[str], bounds: dict[str, Any]) -> dict[Place, Row]:
        """Open spans of these traces, and of those in which a run is that they wait for, and so on."""
        found: dict[Place, Row] = {}
        known: set[str] = set()
        for _ in range(_MOST_STEPS):
            new = sorted(traces - known)[:_MOST_TRACES]
            if not new:
                break
            known |= set(new)
            rows = [row for c in chunks(pl.Series(new), 1000) for row in self._starts(c.to_list(), bounds)]
            found |= {(row["trace_id"], row["span_id"]): row for row in rows}
            keys = sorted({key for row in rows for key in _keys(row)})
            traces = set(self._store.named("related", keys=keys, most=4, **bounds)["trace_id"]) if keys else set()
        return found

    def _starts(self, traces: list[str], bounds: dict[str, Any]) -> list[Row]:
        name = pl.coalesce("agent_name", "agent_id", "name", pl.lit(""))
        found = nulls(self._store.named("open_starts", traces=traces, **bounds))
        rows = found.with_columns(actor=name, actor_id=pl.coalesce("principal_id", named(name))).to_dicts()
        return [{**row, "targets": [tuple(_values(target)) for target in row["targets"]]} for row in rows]

    def _ended(self, traces: set[str], bounds: dict[str, Any]) -> dict[str, Row]:
        parts = [self._store.named("ended_runs", traces=c.to_list(), **bounds) for c in chunks(pl.Series(sorted(traces)), 1000)]
        rows = (row for part in parts for row in part.to_dicts())
        return {row["trace_id"]: {**row, "locks": [tuple([row["trace_id"], *_values(lock)]) for lock in row["locks"]]} for row in rows}

    def _put_away(self, waits: pl.DataFrame, spans: dict[Place, Row], now: datetime) -> None:
        """Note the waits that are over, so that no later look reads them."""
        over = [(t, s) for t, s in waits.select("trace_id", "span_id").iter_rows() if not spans.get((t, s), {}).get("targets")]
        if not over:
            return
        frame = pl.DataFrame(over, {"trace_id": pl.String, "span_id": pl.String}, orient="row").with_columns(
            pl.col("trace_id", "span_id").str.decode("hex"),
            received_at=pl.lit(now).cast(_UTC), time=pl.lit(now).cast(_UTC), is_over=pl.lit(True),
        )  # fmt: skip
        self._store.insert_frame("waits", frame)

    def _deadlock(
        self, edges: list[Edge], known: Open, ended: dict[str, Row], confirmed: list[set[str]], now: datetime
    ) -> Row:
        key, traces = _key(edges), sorted({edge.place[0] for edge in edges})
        there = [place for place in known.spans if place[0] in traces]
        moved = (len(there), *(ended.get(trace, {}).get("ended", 0) for trace in traces))
        before = self._seen.get(key)
        if before is None or before[1] != moved:
            self._seen[key] = (now, moved)
        spent = dict(self._store.named("spent_in", traces=traces).select("trace_id", "cost_usd").iter_rows())
        return {
            "edges": [_shown(edge, known, spent) for edge in edges],
            "young_seconds": (now - max(edge.known_at for edge in edges)).total_seconds(),
            "still_seconds": (now - self._seen[key][0]).total_seconds(),
            "is_moving": before is not None and before[1] != moved,
            "is_settled": self._is_settled(now),
            "was_confirmed": set(key) in confirmed,
            "behind": sum(is_run(known.spans[place]) for place in there) - len({e.waiter for e in edges}),
            "cost_usd": sum(spent.values()) if spent else None,
        }

    def _is_settled(self, now: datetime) -> bool:
        """No ingester says that something waits to be stored for longer than a moment."""
        last = self._store.named("reports", **{"from": now - timedelta(minutes=2)}).sort("at").unique("ingester", keep="last")
        return last.filter(pl.col("lag_seconds") > _LAG_SECONDS).is_empty()


def _values(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else list(item)


def _keys(span: Row) -> list[str]:
    """Under which keys the migration `0010_waits` notes the runs that a span waits for."""
    found = [f"open instance {name}" for kind, name in span["targets"] if kind != "lock"]
    found += [f"open delegation {name}" for kind, name in span["targets"] if kind == "delegation"]
    if span["delegation_id"] and not is_run(span) and not span["targets"]:
        found.append(f"open delegation {span['delegation_id']}")
    return found


def _key(edges: list[Edge]) -> tuple[str, ...]:
    return tuple(sorted({f"{edge.place[0]}:{edge.place[1]}" for edge in edges}))


def _shown(edge: Edge, known: Open, spent: dict[str, float]) -> Row:
    waiter = known.spans[edge.waiter]
    return {
        "waiter_id": waiter["actor_id"], "waiter": waiter["actor"], "target": known.spans[edge.target]["actor"], "kind": edge.kind,
        "trace_id": edge.place[0], "span_id": edge.place[1], "began": edge.began, "cost_usd": spent.get(edge.waiter[0]),
    }  # fmt: skip


def _waits(place: Place, known: Open, ended: dict[str, Row], now: datetime, in_deadlock: bool) -> list[Row]:
    """A row for each target of a span that waits."""
    span, run = known.spans[place], known.run_of(place)
    waiter = known.spans[run] if run else span
    over = {name for row in ended.values() for name in (*row["instances"], *row["ended_delegations"])}
    return [
        {
            "trace_id": place[0], "span_id": place[1], "waiter_id": waiter["actor_id"], "waiter": waiter["actor"],
            "kind": kind, "target": name,
            "began": span["began"], "seconds": (now - span["known_at"]).total_seconds(),
            "target_state": "open" if known.who(kind, name) else "ended" if name in over else "unknown",
            "holds": sorted(lock for lock, holder in known.holders.items() if holder == run), "in_deadlock": in_deadlock,
        }
        for kind, name in span["targets"]
    ]  # fmt: skip
