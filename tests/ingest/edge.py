"""What the Collector plugin writes, in Python: canonical attributes and marks on protobuf records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from tests.ingest import otlp

from actorscope.ingest import normalise
from actorscope.ingest.decode import decode_logs, decode_traces
from actorscope.ingest.decode_python import parse, text_of
from actorscope.ingest.mask import ORIGINAL
from actorscope.ingest.wide import of_logs, of_spans
from actorscope.semconv.dialects import MARK, Rule, columns
from actorscope.semconv.generated import attributes as words

_CANONICAL = frozenset(column.attribute for column in columns())
_BASES = {
    "operation_basis": (words.ACTORSCOPE_EDGE_OPERATION_BASIS, "declared"),
    "agent_basis": (words.ACTORSCOPE_EDGE_AGENT_BASIS, "declared"),
    "side_effect_basis": (words.ACTORSCOPE_EDGE_SIDE_EFFECT_BASIS, "inferred"),
}
"""Where a basis stands, and which one is not said."""


def marked(signal: str, body: bytes, keep_originals: bool = True) -> bytes:
    """The request as the plugin passes it on. Every record of `body` must be one that intake accepts."""
    request = parse(signal, body)
    batch = (decode_traces if signal == "traces" else decode_logs)([body])
    facts = (normalise.reference if signal == "traces" else normalise.reference_logs)(batch).to_pylist()
    read = _sources(of_spans(batch) if signal == "traces" else of_logs(batch))
    records = list(_records(signal, request))
    assert len(records) == len(facts)
    for record, row, sources in zip(records, facts, read, strict=True):
        if row["dialect"]:
            write(record, row, set() if keep_originals else sources, keep_originals)
    return bytes(request.SerializeToString())


def _records(signal: str, request: Any) -> Iterator[Any]:
    if signal == "traces":
        yield from (span for rs in request.resource_spans for ss in rs.scope_spans for span in ss.spans)
    else:
        yield from (log for rl in request.resource_logs for sl in rl.scope_logs for log in sl.log_records)


def write(record: Any, facts: dict[str, Any], sources: set[str], keep_originals: bool) -> None:
    """Facts of a record onto it; of the attributes in `sources`, those go that are not canonical."""
    there: dict[str, AnyValue] = {pair.key: pair.value for pair in record.attributes}
    moved: dict[str, AnyValue] = {}
    kept = {"gen_ai.request.model"} if _is_asked_for(there, facts) else set()
    for column in columns():
        value, old = facts[column.name], there.get(column.attribute)
        new = None if value is None else otlp.any_value(value)
        if column.name == "model" and kept:
            continue
        if old is not None and old != new:
            moved[ORIGINAL + column.attribute] = there.pop(column.attribute)
        if new is not None:
            there[column.attribute] = new
    for key in sources - _CANONICAL - kept:
        there.pop(key, None)
    there.update(moved if keep_originals else {})
    for name, (key, usual) in _BASES.items():
        there.pop(key, None)
        if facts.get(name) not in (None, usual):
            there[key] = otlp.any_value(facts[name])
    there[MARK] = otlp.any_value(facts["dialect"])
    pairs = [(key, AnyValue.FromString(value.SerializeToString())) for key, value in there.items()]
    del record.attributes[:]
    for key, value in pairs:
        record.attributes.add(key=key).value.CopyFrom(value)


def _is_asked_for(there: dict[str, AnyValue], facts: dict[str, Any]) -> bool:
    """Whether the model is known as the one that was asked for, and stands there as such."""
    asked = there.get("gen_ai.request.model")
    return "gen_ai.response.model" not in there and asked is not None and text_of(asked) == facts["model"]


def _reads_a_part(rule: Rule) -> bool:
    """Whether an attribute says more than the fact that is read out of it: such a one stays."""
    return bool(rule.json or rule.extract or rule.keys or rule.content in ("request", "tool_calls"))


def _sources(wide: pl.DataFrame) -> list[set[str]]:
    """For each record the attributes that became facts of it as they are."""
    seen, result = frozenset(wide.columns), [set[str]() for _ in range(wide.height)]
    spoken = int(wide.select(pl.col("bits").bitwise_or()).item() or 0)
    for column in columns():
        answers = list(normalise._answers(column, wide, seen, spoken))
        numbered = [pl.when(value.is_not_null()).then(pl.lit(at)) for at, (_, _, value) in enumerate(answers)]
        chosen = wide.select(pl.coalesce(numbered).alias("by"))["by"] if numbered else []
        for found, number in zip(result, chosen, strict=False):
            rule = answers[number][1] if number is not None else None
            if rule and not (rule.event or rule.resource or rule.nothing or _reads_a_part(rule)):
                found.update(key for key in (rule.source, *rule.plus) if key and key[0] != "@")
        wide = wide.with_columns(normalise._fill(column, wide, seen, spoken))
    return result
