"""Dialects applied column-wise: many vocabularies in, our columns out, each with the basis of what it says.

The rules are data (`actorscope.semconv.dialects`); nothing here knows a framework by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import pyarrow as pa
import yaml

from actorscope.ingest import content, handoffs
from actorscope.ingest.columns import NORMALISED
from actorscope.ingest.normalise_native import quick
from actorscope.ingest.wide import is_done, known, of_logs, of_spans, speaks
from actorscope.semconv.dialects import Column, Rule, columns, dialects

_BASIS_COLUMNS = {"operation": "operation_basis", "agent_name": "agent_basis", "side_effect": "side_effect_basis"}
_AFTERWARDS = ("delegate_name", "delegation_mode", "input_digest", "side_effect", "side_effect_basis")
_CONTENT: dict[str, Callable[[str], str | None]] = {
    "request": content.request, "tool_calls": content.tool_calls, "arguments": content.arguments,
}  # fmt: skip
_TYPES: dict[str, Any] = {
    "name": pl.String, "text": pl.String, "int": pl.UInt64, "double": pl.Float64, "bool": pl.Boolean,
    "names": pl.List(pl.String),
}  # fmt: skip


def normalise(spans: pa.RecordBatch) -> pa.Table:
    """The columns `dialect`, FACTS and BASIS for decoded spans, in the same order and number of rows.

    Unknown spans yield empty facts. No input raises: a value that does not fit its column is left out
    (the attribute itself is kept as it came).
    """
    made = quick(spans, False, dialects(), patterns(), reference)
    return reference(spans) if made is None else made


def normalise_logs(logs: pa.RecordBatch) -> pa.Table:
    """The same columns for decoded log records: what a record says of the span that it names."""
    made = quick(logs, True, dialects(), patterns(), reference_logs)
    return reference_logs(logs) if made is None else made


def reference(spans: pa.RecordBatch) -> pa.Table:
    """The answer of Polars for spans, which says what is right."""
    return _facts(of_spans(spans))


def reference_logs(logs: pa.RecordBatch) -> pa.Table:
    """The same for log records."""
    return _facts(of_logs(logs))


def _facts(wide: pl.DataFrame) -> pa.Table:
    seen = frozenset(wide.columns)
    spoken = int(wide.select(pl.col("bits").bitwise_or()).item() or 0)
    for column in columns():
        wide = wide.with_columns(_fill(column, wide, seen, spoken))
    wide = _afterwards(wide, spoken)
    return wide.select(NORMALISED.names).to_arrow().cast(NORMALISED)


def _afterwards(wide: pl.DataFrame, spoken: int) -> pl.DataFrame:
    """What follows from other columns; of a record that was normalised before, this is among what it says."""
    made = wide.with_columns(_hand_off()) if spoken else wide
    made = made.with_columns(_digest(made), *_side_effect())
    if not spoken >> len(dialects()) & 1:
        return made
    return made.with_columns(pl.when(is_done()).then(wide[name]).otherwise(name).alias(name) for name in _AFTERWARDS)


@cache
def _rules(column: Column) -> tuple[tuple[int | None, Rule], ...]:
    """The rules of a column in order, each with the number of the dialect that must be spoken."""
    own = (
        [(None, Rule(column.name, column.attribute, basis="declared"))]
        if column.attribute.startswith("actorscope.")
        else []
    )
    rest: list[tuple[int | None, Rule]] = [
        (index, rule) for index, d in enumerate(known()) for rule in d.rules if rule.column == column.name
    ]
    done = [pair for pair in rest if pair[0] == len(dialects())]
    return (*done, *own, *sorted(rest[: len(rest) - len(done)], key=lambda pair: not pair[1].first))


def _answers(
    column: Column, wide: pl.DataFrame, seen: frozenset[str], spoken: int
) -> Iterator[tuple[int | None, Rule, pl.Expr]]:
    """What each rule of a column says, in the order in which they are asked, of dialects that are spoken."""
    for index, rule in _rules(column):
        if index is not None and not spoken >> index & 1:
            continue
        value = _value(rule, column, wide, seen)
        if value is not None:
            yield index, rule, value if index is None else pl.when(speaks(index)).then(value)


def _fill(column: Column, wide: pl.DataFrame, seen: frozenset[str], spoken: int) -> list[pl.Expr]:
    """The expression of a column (and of its basis): the first rule that yields a value."""
    dtype = _TYPES[column.type]
    found = [(value, rule) for _, rule, value in _answers(column, wide, seen, spoken)]
    values = [(value, rule.nothing, value) for value, rule in found]
    result = [_first(values, dtype).cast(dtype).alias(column.name)]
    if column.name in _BASIS_COLUMNS:
        bases = [(value, rule.nothing, pl.lit(rule.basis)) for value, rule in found]
        result.append(_first(bases, pl.String).alias(_BASIS_COLUMNS[column.name]))
    return result


def _first(found: list[tuple[pl.Expr, bool, pl.Expr]], dtype: Any) -> pl.Expr:
    """What goes with the first value that is there; nothing where the rule with that value says `nothing`."""
    result: pl.Expr = pl.lit(None, dtype)
    for value, is_nothing, said in reversed(found):
        result = pl.when(value.is_not_null()).then(pl.lit(None, dtype) if is_nothing else said).otherwise(result)
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
    if rule.nothing:
        return pl.lit(True) if condition is None else pl.when(condition).then(True)
    if rule.constant is not None:
        value: pl.Expr | None = pl.lit(rule.constant)
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


@cache
def patterns() -> dict[str, Any]:
    """The verbs, the pattern that finds one in a name, and the one that finds a deed at its end."""
    deeds = "|".join(verb for verb, effect in _verbs().items() if effect == "destructive")
    return {
        "verbs": _verbs(),
        "verb_pattern": r"(?:^|[^a-z])(" + "|".join(sorted(_verbs(), key=len, reverse=True)) + r")(?:[^a-z]|$)",
        "destructive_pattern": rf"(?:^|[^a-z])(?:{deeds})$",
    }


def _side_effect() -> list[pl.Expr]:
    """The declared effect class; for a tool without one, what the first telling word of its name suggests."""
    words = pl.col("tool_name").str.replace_all(r"([a-z])([A-Z])", "${1}_${2}").str.to_lowercase()
    found = words.str.extract(patterns()["verb_pattern"], 1)
    guess = found.replace_strict(_verbs(), default="unknown", return_dtype=pl.String)
    # "order_cancel": a noun that is also a verb stands before the deed.
    is_worse = (guess == "write") & words.str.contains(patterns()["destructive_pattern"])
    guess = pl.when(is_worse).then(pl.lit("destructive")).otherwise(guess)
    # Giving work to another agent changes nothing by itself, though it is called a transfer.
    guess = pl.when(handoffs.mode(pl.col("tool_name")).is_not_null()).then(pl.lit("none")).otherwise(guess)
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
