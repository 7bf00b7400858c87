"""Normalisation by the native module: the same rules, handed over as data; what is unusual goes to the reference."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from actorscope.ingest import decode, handoffs
from actorscope.ingest.columns import NORMALISED
from actorscope.semconv.dialects import SOURCES, Dialect, columns, edge

log = logging.getLogger(__name__)


def quick(
    records: pa.RecordBatch,
    is_log: bool,
    known: tuple[Dialect, ...],
    patterns: dict[str, Any],
    reference: Callable[[pa.RecordBatch], pa.Table],
) -> pa.Table | None:
    """The facts of decoded records, or None where the native module is not there or declines the rules.

    Records with values that it declines are answered by `reference`.
    """
    native = decode.native()
    normaliser = _normaliser(native, known, patterns) if native else None
    if normaliser is None:
        return None
    made, odd = normaliser.normalise(records, is_log)
    table = pa.table(made.columns, schema=NORMALISED)
    if not odd:
        return table
    rows = np.arange(table.num_rows)
    rows[odd] = table.num_rows + np.arange(len(odd))
    others = reference(records.take(pa.array(odd, pa.uint32())))
    return pa.concat_tables([table, others]).take(pa.array(rows))


_compiled: list[tuple[Any, tuple[Dialect, ...], Any]] = []


def _normaliser(native: Any, known: tuple[Dialect, ...], patterns: dict[str, Any]) -> Any:
    """The compiled rules of these dialects, made once; None where the native module declines them."""
    for module, for_dialects, made in _compiled:
        if module is native and for_dialects is known:
            return made
    try:
        made = native.Normaliser(rules(known, patterns))
    except ValueError as error:
        log.warning("the native normaliser is not used: %s", error)
        made = None
    _compiled[:] = [(native, known, made)]
    return made


def rules(known: tuple[Dialect, ...], patterns: dict[str, Any]) -> str:
    """Columns, dialects and what else the rules need, as JSON."""
    return json.dumps(
        {
            "columns": [{"name": c.name, "type": c.type, "attribute": c.attribute} for c in columns()],
            "dialects": [_dialect(dialect) for dialect in known],
            "edge": _dialect(edge()),
            "handoffs": handoffs.entries(),
            "nobody": handoffs.nobody(),
            "pseudo": list(SOURCES),
            **patterns,
        }
    )


def _dialect(dialect: Dialect) -> dict[str, Any]:
    given = [{**asdict(rule), "where": list(rule.where.items())} for rule in dialect.rules]
    plain = {key: list(getattr(dialect, key)) for key in ("attributes", "prefixes", "scopes")}
    return {"name": dialect.name, **plain, "rules": given}
