"""Vectors: for each dialect, spans and log records as they are sent and the columns that must come of them.

The files in `tests/vectors` are for every implementation of the normaliser; their format is in the README there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.ingest import otlp

from actorscope.ingest.columns import BASIS, FACTS, KINDS, STATUSES
from actorscope.ingest.decode import decode_logs, decode_traces
from actorscope.ingest.normalise import normalise, normalise_logs
from actorscope.semconv.dialects import dialects

FOLDER = Path(__file__).parents[1] / "vectors"
FILES = sorted(FOLDER.glob("*.yaml"))
COLUMNS = {"dialect", *(name for name, _ in FACTS), *(name for name, _ in BASIS)}
KEYS = {"scope", "resource", "attributes"}
SPAN_KEYS, LOG_KEYS = KEYS | {"name", "kind", "status", "events"}, KEYS | {"event", "body"}
Row = dict[str, Any]


@cache
def vectors(path: Path) -> list[Row]:
    """The vectors of a file."""
    found: list[Row] = yaml.safe_load(path.read_text())
    return found


def sent(vector: Row) -> tuple[str, bytes]:
    """The signal and the request that holds the one span or log record of a vector."""
    if "log" in vector:
        record = vector["log"]
        logs = ExportLogsServiceRequest()
        at = logs.resource_logs.add()
        at.resource.attributes.extend(otlp.pairs(record.get("resource", {})))
        log_scope = at.scope_logs.add()
        log_scope.scope.name = record.get("scope", "")
        log_scope.log_records.append(
            otlp.record(record.get("body"), record.get("attributes", {}), event_name=record.get("event", ""))
        )
        return "logs", bytes(logs.SerializeToString())
    span = vector["span"]
    traces = ExportTraceServiceRequest()
    holder = traces.resource_spans.add()
    holder.resource.attributes.extend(otlp.pairs(span.get("resource", {})))
    scope = holder.scope_spans.add()
    scope.scope.name = span.get("scope", "")
    events = [
        Span.Event(name=e["name"], attributes=otlp.pairs(e.get("attributes", {}))) for e in span.get("events", ())
    ]
    kind = KINDS.index(span.get("kind", "internal"))
    one = otlp.span(1, span.get("attributes", {}), name=span.get("name", ""), kind=kind, events=events)
    one.status.code = STATUSES.index(span.get("status", "unset"))
    scope.spans.append(one)
    return "traces", bytes(traces.SerializeToString())


def read(found: list[Row]) -> list[Row]:
    """The columns that come of vectors, all normalised at once."""
    bodies = [sent(vector) for vector in found]
    spans = iter(normalise(decode_traces([b for signal, b in bodies if signal == "traces"])).to_pylist())
    logs = iter(normalise_logs(decode_logs([b for signal, b in bodies if signal == "logs"])).to_pylist())
    return [next(spans if signal == "traces" else logs) for signal, _ in bodies]


def wrong(vector: Row, row: Row) -> dict[str, tuple[Any, Any]]:
    """The expected columns that are otherwise: what is expected and what came."""
    pairs = {column: (value, row[column]) for column, value in vector["expect"].items()}
    return {column: pair for column, pair in pairs.items() if not _same(*pair)}


def _same(expected: Any, came: Any) -> bool:
    if expected in (None, "", []):
        return came in (None, "", [])
    return came == (pytest.approx(expected) if isinstance(expected, float) else expected)


def unexpected(found: list[Row]) -> dict[str, Any]:
    """What is otherwise than expected, by vector, without the gaps that are known."""
    bad = {
        v["what"]: {c: w for c, w in wrong(v, row).items() if c not in v.get("gap", {})}
        for v, row in zip(found, read(found), strict=True)
    }
    return {what: columns for what, columns in bad.items() if columns}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_sent_gives_the_expected_columns(path: Path) -> None:
    assert unexpected(vectors(path)) == {}


_GAPS = [
    pytest.param(
        v, column, id=f"{path.stem}: {v['what']}: {column}", marks=pytest.mark.xfail(strict=True, reason=reason)
    )
    for path in FILES
    for v in vectors(path)
    for column, reason in v.get("gap", {}).items()
]


@pytest.mark.parametrize(("vector", "column"), _GAPS)
def test_a_known_gap_is_closed(vector: Row, column: str) -> None:
    assert column not in wrong(vector, read([vector])[0])


def test_every_dialect_has_vectors_and_every_file_a_dialect() -> None:
    assert {path.stem for path in FILES} == {dialect.name for dialect in dialects()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_follows_its_format(path: Path) -> None:
    found = vectors(path)
    names = [vector["what"] for vector in found]
    assert found and len(names) == len(set(names))
    for vector in found:
        assert set(vector) - {"gap"} in ({"what", "span", "expect"}, {"what", "log", "expect"})
        assert set(vector.get("span", {})) <= SPAN_KEYS and set(vector.get("log", {})) <= LOG_KEYS
        assert (
            vector["expect"]
            and set(vector["expect"]) <= COLUMNS
            and set(vector.get("gap", {})) <= set(vector["expect"])
        )


def test_neighbours_in_a_batch_change_nothing() -> None:
    named = [{**v, "what": f"{path.stem}: {v['what']}"} for path in FILES for v in vectors(path)]
    assert unexpected(named) == {}
