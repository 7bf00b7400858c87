"""Records laid wide: one row each, with a column per attribute that a rule reads, and the dialects that they speak.

Columns: `row`; `@name`, `@scope` ... for what is no attribute; `a:<place>` for the values of attributes, where a place is a
key, `event <name> <key>`, `resource <key>` or `keys <pattern>` (see `dialects.Rule.place`); `bits`, the dialects by their
number; `dialect`, the last of them. A record that the Collector plugin normalised speaks the last number and no other, and
its dialect is the one that it was sent in.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from actorscope.ingest import content
from actorscope.semconv.dialects import MARK, Dialect, columns, dialects, edge

_SPAN = {
    "@name": "name", "@scope": "scope_name", "@service": "service_name", "@status": "status_code", "@kind": "kind",
}  # fmt: skip
_LOG = {"@event": "event_name", "@body": "body", "@scope": "scope_name", "@service": "service_name"}
_ROW = pl.UInt32


def of_spans(spans: pa.RecordBatch) -> pl.DataFrame:
    long = _long(spans.column("attributes"), spans.num_rows)
    return _join(_wide(spans, long, _SPAN), [_event_values(spans), *_resource_values(spans), *_gathered(long)])


def of_logs(logs: pa.RecordBatch) -> pl.DataFrame:
    long = _long(logs.column("attributes"), logs.num_rows)
    return _join(_wide(logs, long, _LOG), _gathered(long))


def _long(maps: pa.MapArray, height: int) -> pl.DataFrame:
    """One row per attribute: row, key, value."""
    rows = np.repeat(np.arange(height, dtype=np.uint32), np.diff(maps.offsets.to_numpy()))
    return pl.DataFrame({"row": rows, "key": pl.from_arrow(maps.keys), "value": pl.from_arrow(maps.items)})


def _wide(records: pa.RecordBatch, long: pl.DataFrame, pseudo: dict[str, str]) -> pl.DataFrame:
    """One row per record with a column `a:<key>` for each attribute that a rule looks at, and the dialects as bits."""
    keys = long.select(pl.col("key").unique())
    keys = keys.with_columns(
        pl.Series("bits", [_bits(key) for key in keys["key"]], pl.UInt64),
        pl.Series("wanted", [key in _wanted() for key in keys["key"]], pl.Boolean),
    ).filter((pl.col("bits") > 0) | pl.col("wanted"))
    long = long.join(keys, on="key")
    base = pl.DataFrame(
        {
            "row": np.arange(records.num_rows, dtype=np.uint32),
            **{name: pl.from_arrow(records.column(column)) for name, column in pseudo.items()},
        }
    )
    bits = long.group_by("row").agg(pl.col("bits").bitwise_or())
    wide = _join(base.join(bits, on="row", how="left", maintain_order="left"), [_pivot("a:", long.filter("wanted"))])
    wide = wide.with_columns((pl.col("bits").fill_null(0) | _scope_bits()).alias("bits"))
    label = pl.lit("")
    for index, dialect in enumerate(dialects()):
        label = pl.when(speaks(index)).then(pl.lit(dialect.name)).otherwise(label)
    wide = wide.with_columns(label.alias("dialect"))
    if f"a:{MARK}" in wide.columns:
        done = pl.lit(1 << len(dialects()), pl.UInt64)
        wide = wide.with_columns(
            pl.when(is_done()).then(done).otherwise("bits").alias("bits"), pl.coalesce(f"a:{MARK}", "dialect").alias("dialect")
        )
    return wide


def _pivot(prefix: str, long: pl.DataFrame) -> pl.DataFrame:
    """One row per record and a column per key; the last value of a key counts."""
    long = long.with_columns((pl.lit(prefix) + pl.col("key")).alias("key"))
    if long.is_empty():
        return pl.DataFrame(schema={"row": _ROW})
    return long.pivot(on="key", index="row", values="value", aggregate_function="last")


def _join(wide: pl.DataFrame, tables: list[pl.DataFrame]) -> pl.DataFrame:
    for table in tables:
        if table.width > 1:
            wide = wide.join(table, on="row", how="left", maintain_order="left")
    return wide


def _event_values(spans: pa.RecordBatch) -> pl.DataFrame:
    """The attributes of span events that rules read, as columns `a:event <name> <key>`."""
    lists = spans.column("event_names")
    names = pl.DataFrame({"name": pl.from_arrow(lists.flatten())}).with_row_index("event")
    rows = np.repeat(np.arange(spans.num_rows, dtype=np.uint32), np.diff(lists.offsets.to_numpy()))
    names = names.with_columns(pl.Series("row", rows)).filter(pl.col("name").is_in(list(_wanted_events())))
    if names.is_empty():
        return pl.DataFrame(schema={"row": _ROW})
    long = _long(spans.column("event_attributes").flatten(), len(rows)).rename({"row": "event"})
    long = names.join(long, on="event", how="inner", maintain_order="left")
    long = long.with_columns(pl.format("event {} {}", "name", "key").alias("key"))
    return _pivot("a:", long.filter(pl.col("key").is_in(list(_places()))))


def _resource_values(spans: pa.RecordBatch) -> list[pl.DataFrame]:
    wanted = [place.removeprefix("resource ") for place in _places() if place.startswith("resource ")]
    keys = spans.column("resource_attributes").keys
    if not wanted or not pc.any(pc.is_in(keys, pa.array(wanted))).as_py():
        return []
    long = _long(spans.column("resource_attributes"), spans.num_rows).filter(pl.col("key").is_in(wanted))
    return [_pivot("a:resource ", long)]


def _gathered(long: pl.DataFrame) -> list[pl.DataFrame]:
    """For each rule with `keys` the matching attributes of a record as one text, for `content.tool_calls`."""
    tables = []
    distinct = long["key"].unique().to_list() if _patterns() else []
    for pattern in _patterns():
        matching = [key for key in distinct if _matches(pattern, key)]
        if not matching:
            continue
        found = long.filter(pl.col("key").is_in(matching)).sort("row", "key", maintain_order=True)
        pair = pl.concat_str("key", "value", separator=content.IS)
        name = f"a:keys {pattern}"
        tables.append(found.group_by("row").agg(pair.str.join(content.AND).alias(name)))
    return tables


@cache
def _matches(pattern: str, key: str) -> bool:
    return re.match(pattern, key) is not None


@cache
def _places() -> frozenset[str]:
    return frozenset(rule.place for d in known() for rule in d.rules)


@cache
def _wanted_events() -> frozenset[str]:
    return frozenset(rule.event for d in dialects() for rule in d.rules if rule.event)


@cache
def _patterns() -> tuple[str, ...]:
    return tuple(sorted({rule.keys for d in dialects() for rule in d.rules if rule.keys}))


@cache
def _wanted() -> frozenset[str]:
    names = frozenset(column.name for column in columns())
    own = {MARK, *(column.attribute for column in columns())}
    return frozenset(own.union(*(rule.attribute_keys(names) for d in known() for rule in d.rules)))


@cache
def _bits(key: str) -> int:
    """Which dialects an attribute key reveals."""
    hits = (key in d.attributes or (d.prefixes and key.startswith(d.prefixes)) for d in known())
    return sum(1 << index for index, hit in enumerate(hits) if hit)


def _scope_bits() -> pl.Expr:
    bits = pl.lit(0, pl.UInt64)
    for index, dialect in enumerate(dialects()):
        if dialect.scopes:
            hit = pl.any_horizontal(pl.col("@scope").str.starts_with(scope) for scope in dialect.scopes)
            bits = bits | pl.when(hit).then(pl.lit(1 << index, pl.UInt64)).otherwise(pl.lit(0, pl.UInt64))
    return bits


def known() -> tuple[Dialect, ...]:
    """All dialects by their number; the last is how records are read that were normalised before."""
    return (*dialects(), edge())


def is_done() -> pl.Expr:
    """Whether a record was normalised before; for tables with such records."""
    return speaks(len(dialects()))


def speaks(index: int) -> pl.Expr:
    """Whether a record speaks the dialect of this number."""
    return (pl.col("bits") & pl.lit(1 << index, pl.UInt64)) > 0
