"""Dialects applied column-wise: many vocabularies in, our columns out, each with the basis of what it says.

The rules are data (`actorscope.semconv.dialects`); nothing here knows a framework by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from actorscope.ingest import content, handoffs
from actorscope.ingest.columns import BASIS, FACTS
from actorscope.semconv.dialects import Column, Rule, columns, dialects

_SPAN = {
    "@name": "name", "@scope": "scope_name", "@service": "service_name", "@status": "status_code", "@kind": "kind",
}  # fmt: skip
_LOG = {"@event": "event_name", "@body": "body", "@scope": "scope_name", "@service": "service_name"}
_BASIS_COLUMNS = {"operation": "operation_basis", "agent_name": "agent_basis", "side_effect": "side_effect_basis"}
_CONTENT: dict[str, Callable[[str], str | None]] = {
    "request": content.request, "tool_calls": content.tool_calls, "arguments": content.arguments,
}  # fmt: skip
_TYPES: dict[str, Any] = {
    "name": pl.String, "text": pl.String, "int": pl.UInt64, "double": pl.Float64, "bool": pl.Boolean,
    "names": pl.List(pl.String),
}  # fmt: skip
_ROW = pl.UInt32
_NOTHING = "\x00"
"""Stands for the value of a `nothing` rule while the rules of a column are asked."""


def normalise(spans: pa.RecordBatch) -> pa.Table:
    """The columns `dialect`, FACTS and BASIS for decoded spans, in the same order and number of rows.

    Unknown spans yield empty facts. No input raises: a value that does not fit its column is left out
    (the attribute itself is kept as it came).
    """
    return _facts(_of_spans(spans))


def normalise_logs(logs: pa.RecordBatch) -> pa.Table:
    """The same columns for decoded log records: what a record says of the span that it names."""
    return _facts(_of_logs(logs))


def _of_spans(spans: pa.RecordBatch) -> pl.DataFrame:
    long = _long(spans.column("attributes"), spans.num_rows)
    return _join(_wide(spans, long, _SPAN), [_event_values(spans), *_resource_values(spans), *_gathered(long)])


def _of_logs(logs: pa.RecordBatch) -> pl.DataFrame:
    long = _long(logs.column("attributes"), logs.num_rows)
    return _join(_wide(logs, long, _LOG), _gathered(long))


def _facts(wide: pl.DataFrame) -> pa.Table:
    seen = frozenset(wide.columns)
    spoken = int(wide.select(pl.col("bits").bitwise_or()).item() or 0)
    for column in columns():
        wide = wide.with_columns(_fill(column, wide, seen, spoken))
    wide = _afterwards(wide, spoken)
    names = ["dialect", *(name for name, _ in FACTS), *(name for name, _ in BASIS)]
    return wide.select(names).to_arrow().cast(pa.schema([("dialect", pa.string()), *FACTS, *BASIS]))


def _afterwards(wide: pl.DataFrame, spoken: int) -> pl.DataFrame:
    """What follows from other columns."""
    if spoken:
        wide = wide.with_columns(_hand_off())
    return wide.with_columns(_digest(wide), *_side_effect())


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
        label = pl.when(_speaks(index)).then(pl.lit(dialect.name)).otherwise(label)
    return wide.with_columns(label.alias("dialect"))


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
    """For each rule with `keys` the matching attributes of a record as one text; see `content.flat`."""
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
    return frozenset(rule.place for d in dialects() for rule in d.rules)


@cache
def _wanted_events() -> frozenset[str]:
    return frozenset(rule.event for d in dialects() for rule in d.rules if rule.event)


@cache
def _patterns() -> tuple[str, ...]:
    return tuple(sorted({rule.keys for d in dialects() for rule in d.rules if rule.keys}))


@cache
def _wanted() -> frozenset[str]:
    names = frozenset(column.name for column in columns())
    own = {column.attribute for column in columns()}
    return frozenset(own.union(*(rule.attribute_keys(names) for d in dialects() for rule in d.rules)))


@cache
def _bits(key: str) -> int:
    """Which dialects an attribute key reveals."""
    hits = (key in d.attributes or (d.prefixes and key.startswith(d.prefixes)) for d in dialects())
    return sum(1 << index for index, hit in enumerate(hits) if hit)


def _scope_bits() -> pl.Expr:
    bits = pl.lit(0, pl.UInt64)
    for index, dialect in enumerate(dialects()):
        if dialect.scopes:
            hit = pl.any_horizontal(pl.col("@scope").str.starts_with(scope) for scope in dialect.scopes)
            bits = bits | pl.when(hit).then(pl.lit(1 << index, pl.UInt64)).otherwise(pl.lit(0, pl.UInt64))
    return bits


def _speaks(index: int) -> pl.Expr:
    return (pl.col("bits") & pl.lit(1 << index, pl.UInt64)) > 0


@cache
def _rules(column: Column) -> tuple[tuple[int | None, Rule], ...]:
    """The rules of a column in order, each with the number of the dialect that must be spoken."""
    own = (
        [(None, Rule(column.name, column.attribute, basis="declared"))]
        if column.attribute.startswith("actorscope.")
        else []
    )
    rest: list[tuple[int | None, Rule]] = [
        (index, rule) for index, d in enumerate(dialects()) for rule in d.rules if rule.column == column.name
    ]
    return (*own, *sorted(rest, key=lambda pair: not pair[1].first))


def _answers(
    column: Column, wide: pl.DataFrame, seen: frozenset[str], spoken: int
) -> Iterator[tuple[int | None, Rule, pl.Expr]]:
    """What each rule of a column says, in the order in which they are asked, of dialects that are spoken."""
    for index, rule in _rules(column):
        if index is not None and not spoken >> index & 1:
            continue
        value = _value(rule, column, wide, seen)
        if value is not None:
            yield index, rule, value if index is None else pl.when(_speaks(index)).then(value)


def _fill(column: Column, wide: pl.DataFrame, seen: frozenset[str], spoken: int) -> list[pl.Expr]:
    """The expression of a column (and of its basis): the first rule that yields a value."""
    answers = list(_answers(column, wide, seen, spoken))
    values = [value for _, _, value in answers]
    dtype = _TYPES[column.type]
    result = [(pl.coalesce(values).cast(dtype) if values else pl.lit(None, dtype)).alias(column.name)]
    if dtype == pl.String and values:
        result = [pl.when(result[0] != _NOTHING).then(result[0]).alias(column.name)]
    if column.name in _BASIS_COLUMNS:
        bases = [pl.when(value.is_not_null()).then(pl.lit(rule.basis)) for _, rule, value in answers]
        basis = pl.coalesce(bases) if bases else pl.lit(None, pl.String)
        result.append(basis.alias(_BASIS_COLUMNS[column.name]))
    return result


def _ref(key: str, seen: frozenset[str], done: frozenset[str]) -> pl.Expr | None:
    """The column that holds a key; None when no span of the batch has the attribute."""
    if key in done or (key.startswith("@") and key in seen):
        return pl.col(key)
    return pl.col(f"a:{key}") if f"a:{key}" in seen else None


def _value(rule: Rule, column: Column, wide: pl.DataFrame, seen: frozenset[str]) -> pl.Expr | None:
    done = frozenset(wide.columns) & frozenset(c.name for c in columns())
    condition = _condition(rule, seen, done)
    if condition is False:
        return None
    if rule.constant is not None or rule.nothing:
        value: pl.Expr | None = pl.lit(_NOTHING if rule.nothing else rule.constant)
    else:
        value = _ref(rule.place, seen, frozenset())
    if value is None:
        return None
    if condition is not None:
        value = pl.when(condition).then(value)
    value = _tidy(rule, value)
    if rule.plus:
        value = pl.when(value.is_not_null()).then(_sum(rule, value, seen))
    if rule.content:
        return _per_distinct(wide, value, _CONTENT[rule.content], pl.String)
    return _typed(column, value, wide)


def _condition(rule: Rule, seen: frozenset[str], done: frozenset[str]) -> pl.Expr | None | bool:
    """What must hold for a rule: an expression, None for nothing, False when the batch cannot meet it."""
    tests: list[pl.Expr] = []
    for key, allowed in rule.where.items():
        ref = _ref(key, seen, done)
        if ref is None:
            return False
        tests.append(ref.is_in(list(allowed)))
    for key in rule.present:
        ref = _ref(key, seen, done)
        if ref is None:
            return False
        tests.append(ref.is_not_null())
    for key in rule.absent:
        ref = _ref(key, seen, done)
        if ref is not None:
            tests.append(ref.is_null())
    if rule.same:
        refs = [_ref(key, seen, done) for key in rule.same]
        if refs[0] is None or refs[1] is None:
            return False
        tests.append(refs[0] == refs[1])
    return pl.all_horizontal(tests) if tests else None


def _tidy(rule: Rule, value: pl.Expr) -> pl.Expr:
    if rule.json:
        value = value.str.json_path_match(rule.json)
    if rule.extract:
        value = value.str.extract(rule.extract, 1)
    if rule.lower:
        value = value.str.to_lowercase()
    if rule.strip_prefix:
        value = value.str.strip_prefix(rule.strip_prefix)
    if rule.strip_suffix:
        value = value.str.strip_suffix(rule.strip_suffix)
    if rule.ignore:
        value = pl.when(value.is_in(list(rule.ignore)).not_()).then(value)
    if rule.values is not None:
        default = value if rule.otherwise == "keep" else None
        value = value.replace_strict(rule.values, default=default, return_dtype=pl.String)
    return value


def _sum(rule: Rule, value: pl.Expr, seen: frozenset[str]) -> pl.Expr:
    """The number of a rule with those of `plus`: other attributes, or other paths in the same JSON."""
    whole = pl.col(f"a:{rule.place}") if rule.json else None
    others = [whole.str.json_path_match(p) for p in rule.plus] if whole is not None else []
    others += [pl.col(f"a:{key}") for key in rule.plus if not rule.json and f"a:{key}" in seen]
    return pl.sum_horizontal(v.cast(pl.Float64, strict=False).fill_null(0) for v in (value, *others))


def _typed(column: Column, value: pl.Expr, wide: pl.DataFrame) -> pl.Expr:
    if column.type == "int":
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number.is_between(0, 2.0**53)).then(number).cast(pl.UInt64, strict=False)
    if column.type == "double":
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    if column.type == "bool":
        return _per_distinct(wide, value, content.boolean, pl.Boolean)
    if column.type == "names":
        return _per_distinct(wide, value, content.names, pl.List(pl.String))
    return pl.when(value != "").then(value)


def _per_distinct(wide: pl.DataFrame, value: pl.Expr, function: Callable[[str], Any], dtype: Any) -> pl.Expr:
    """A Python function over the distinct values of an expression, as a literal column."""
    series = wide.select(value.alias("v"))["v"]
    distinct = series.drop_nulls().unique()
    if not distinct.len():
        return pl.lit(None, dtype)
    table = pl.DataFrame(
        {"v": distinct, "out": pl.Series([function(text) for text in distinct], dtype=dtype, strict=False)}
    )
    return pl.lit(series.to_frame().join(table, on="v", how="left", maintain_order="left")["out"])


def _hand_off() -> list[pl.Expr]:
    """Who gets the work and whether control comes back, where only the tool tells."""
    tool, arguments = pl.col("tool_name"), pl.col("arguments")
    is_action = pl.col("operation") == "execute_tool"
    return [
        pl.coalesce("delegate_name", pl.when(is_action).then(handoffs.target(tool, arguments))).alias("delegate_name"),
        pl.coalesce("delegation_mode", pl.when(is_action).then(handoffs.mode(tool))).alias("delegation_mode"),
    ]


def _digest(wide: pl.DataFrame) -> pl.Expr:
    missing = pl.when(pl.col("input_digest").is_null()).then(pl.col("arguments"))
    return pl.coalesce(pl.col("input_digest"), _per_distinct(wide, missing, content.digest, pl.String)).alias(
        "input_digest"
    )


@cache
def _verbs() -> dict[str, str]:
    raw = yaml.safe_load(files("actorscope.semconv").joinpath("verbs.yaml").read_text())
    return {verb: effect for effect, verbs in raw.items() for verb in verbs}


def _side_effect() -> list[pl.Expr]:
    """The declared effect class; for a tool without one, what the first telling word of its name suggests."""
    words = pl.col("tool_name").str.replace_all(r"([a-z])([A-Z])", "${1}_${2}").str.to_lowercase()
    pattern = r"(?:^|[^a-z])(" + "|".join(sorted(_verbs(), key=len, reverse=True)) + r")(?:[^a-z]|$)"
    guess = words.str.extract(pattern, 1).replace_strict(_verbs(), default="unknown", return_dtype=pl.String)
    # "order_cancel": a noun that is also a verb stands before the deed.
    ends = r"(?:^|[^a-z])(?:" + "|".join(v for v, effect in _verbs().items() if effect == "destructive") + r")$"
    guess = pl.when((guess == "write") & words.str.contains(ends)).then(pl.lit("destructive")).otherwise(guess)
    guess = pl.when((pl.col("operation") == "execute_tool") & pl.col("tool_name").is_not_null()).then(guess)
    declared = pl.col("side_effect")
    return [
        pl.coalesce(declared, guess).alias("side_effect"),
        pl.when(declared.is_not_null())
        .then(pl.col("side_effect_basis"))
        .when(guess.is_not_null())
        .then(pl.lit("inferred"))
        .alias("side_effect_basis"),
    ]
