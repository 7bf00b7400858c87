"""Which rule filled which column: the same rules as `ingest/normalise.py`, asked one by one. Not for the way in."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from actorscope.ingest import normalise
from actorscope.ingest.wide import known, of_logs, of_spans
from actorscope.semconv.dialects import Rule, columns

OWN = "actorscope"
EXPLAINED = pl.Schema(
    {"row": pl.UInt32(), "column": pl.String(), "dialect": pl.String(), "rule": pl.String(), "basis": pl.String()}
)
# What is read from other columns after the rules had their say.
_AFTERWARDS = {
    "delegate_name": ("semconv/handoffs.yaml: name and arguments of the tool", "inferred"),
    "delegation_mode": ("semconv/handoffs.yaml: name of the tool", "inferred"),
    "input_digest": ("digest of the arguments", "derived"),
    "side_effect": ("semconv/verbs.yaml: a word in the name of the tool", "inferred"),
}


def explain(spans: pa.RecordBatch) -> pl.DataFrame:
    """One row (EXPLAINED) for each column of each decoded span that holds a value, in the order of the columns.

    `row` is the number of the span. `rule` is text of ours alone, so that it may be shown anywhere. A column that the
    spans state in several ways is explained by the rule that counted.
    """
    return _explain(of_spans(spans))


def explain_logs(logs: pa.RecordBatch) -> pl.DataFrame:
    """The same for decoded log records."""
    return _explain(of_logs(logs))


def rule_text(rule: Rule) -> str:
    """A rule in the words of its dialect file, on one line."""
    plain = repr(rule.constant) if rule.constant is not None else rule.source
    parts = [f"attributes like {rule.keys}" if rule.keys else plain]
    if rule.event:
        parts[0] += f" of event {rule.event}"
    if rule.resource:
        parts[0] += " of the resource"
    parts += [f"at {rule.json}"] if rule.json else []
    parts += [f"+ {key}" for key in rule.plus]
    parts += [f"like {rule.extract}"] if rule.extract else []
    tests = [f"{key}={'|'.join(allowed)}" for key, allowed in rule.where.items()]
    tests += ["=".join(rule.same)] if rule.same else []
    parts += [f"where {' and '.join(tests)}"] if tests else []
    parts += [f"with {', '.join(rule.present)}"] if rule.present else []
    parts += [f"without {', '.join(rule.absent)}"] if rule.absent else []
    return " ".join(parts)


def _explain(wide: pl.DataFrame) -> pl.DataFrame:
    seen = frozenset(wide.columns)
    spoken = int(wide.select(pl.col("bits").bitwise_or()).item() or 0)
    by: dict[str, pl.Series] = {}
    rules: dict[str, list[tuple[str, str, str]]] = {}
    for column in columns():
        answers = list(normalise._answers(column, wide, seen, spoken))
        numbered = [pl.when(value.is_not_null()).then(pl.lit(at)) for at, (_, _, value) in enumerate(answers)]
        if numbered:
            by[column.name] = wide.select(pl.coalesce(numbered).alias("by"))["by"]
            rules[column.name] = [
                (_name(index), f"{_name(index)}: {rule_text(rule)}", rule.basis) for index, rule, _ in answers
            ]
        wide = wide.with_columns(normalise._fill(column, wide, seen, spoken))
    wide = normalise._afterwards(wide, spoken)
    parts = [_column(wide, name, by.get(name), rules.get(name, [])) for name in (c.name for c in columns())]
    return pl.concat([EXPLAINED.to_frame(), *parts])


def _column(wide: pl.DataFrame, name: str, by: pl.Series | None, rules: list[tuple[str, str, str]]) -> pl.DataFrame:
    """The rows of one column: a rule where one yielded the value, else what read it from other columns."""
    number = pl.lit(None, pl.Int32) if by is None else by.cast(pl.Int32)
    found = wide.select("row", pl.col(name).alias("value"), number.alias("by")).filter(pl.col("value").is_not_null())
    if isinstance(found.schema["value"], pl.List):
        found = found.filter(pl.col("value").list.len() > 0)
    later, basis = _AFTERWARDS.get(name, ("", "derived"))
    told = pl.DataFrame(
        [(None, "", later, basis), *((at, *rule) for at, rule in enumerate(rules))],
        schema={"by": pl.Int32, "dialect": pl.String, "rule": pl.String, "basis": pl.String},
        orient="row",
    )
    found = found.join(told, on="by", how="left", nulls_equal=True, maintain_order="left")
    return found.select("row", pl.lit(name).alias("column"), "dialect", "rule", "basis").cast(EXPLAINED)


def _name(index: int | None) -> str:
    return OWN if index is None else known()[index].name
