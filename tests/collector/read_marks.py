"""Facts read back from what the collector wrote: from canonical attributes and marks alone, no dialect is asked.

The contract in a few lines; written apart from the reader of the ingester, so that the two check each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actorscope.ingest.decode_python import parse, text_of
from actorscope.semconv.dialects import columns
from actorscope.semconv.generated import attributes as keys

ORIGINAL = "actorscope.edge.original."
MARKS = {
    "operation": ("operation_basis", keys.ACTORSCOPE_EDGE_OPERATION_BASIS, "declared"),
    "agent_name": ("agent_basis", keys.ACTORSCOPE_EDGE_AGENT_BASIS, "declared"),
    "side_effect": ("side_effect_basis", keys.ACTORSCOPE_EDGE_SIDE_EFFECT_BASIS, "inferred"),
}
_FIELDS = {"name": "string_value", "text": "string_value", "int": "int_value", "double": "double_value", "bool": "bool_value"}
_ELSE = {"model": "gen_ai.request.model"}


def rows(signal: str, body: bytes) -> list[dict[str, Any]]:
    """The columns of every record of a processed request, in order."""
    return [_row(attributes) for attributes in records(signal, body)]


def records(signal: str, body: bytes) -> Iterator[dict[str, Any]]:
    """The attributes of every record."""
    request = parse(signal, body)
    if signal == "logs":
        found = (r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records)
    else:
        found = (s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans)
    return ({pair.key: pair.value for pair in record.attributes} for record in found)


def _row(attributes: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"dialect": ""} | {column.name: None for column in columns()} | {name: None for name, _, _ in MARKS.values()}
    if keys.ACTORSCOPE_EDGE_DIALECT not in attributes:
        return row
    for column in columns():
        value = attributes.get(column.attribute)
        if value is None and column.name in _ELSE and _ELSE[column.name] in attributes:
            row[column.name] = text_of(attributes[_ELSE[column.name]]) or None
        elif value is not None:
            row[column.name] = _read(column.type, value)
    for column, (name, key, usual) in MARKS.items():
        said = attributes[key].string_value if key in attributes else usual
        assert said != usual or key not in attributes, f"{key} says what goes without saying"
        row[name] = None if row[column] is None else said
    return row | {"dialect": attributes[keys.ACTORSCOPE_EDGE_DIALECT].string_value}


def _read(kind: str, value: Any) -> Any:
    """The value of a canonical attribute, which has the type of its column."""
    if kind == "names":
        assert value.WhichOneof("value") == "array_value"
        return [_read("text", item) for item in value.array_value.values]
    assert value.WhichOneof("value") == _FIELDS[kind], (kind, value)
    return getattr(value, _FIELDS[kind])
