"""A ClickHouse over HTTP that throws inserts away, so that what is before a store can be compared: `python sink.py`.

Tables and queries are answered by chDB behind the bridge of the tests. Rows of traces are read from the socket and
forgotten; `SELECT received` tells how many bytes of them came. The first two queries of clickhouse-go, which asks for a
form that only a server writes, are answered by hand.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bridge"))

import server
from bridge_engine import Engine, Outcome, Request, Statement

_REVISION = 54_460
_FORGOTTEN = (b"span_rows", b"otel_traces")
_ARRIVED = b"FROM arrivals WHERE ingester"
_MAP, _LC = "Map(LowCardinality(String), String)", "LowCardinality(String)"
_OTEL_TRACES = {
    **{"Timestamp": "DateTime64(9)", "TraceId": "String", "SpanId": "String", "ParentSpanId": "String"},
    **{"TraceState": "String", "SpanName": _LC, "SpanKind": _LC, "ServiceName": _LC, "ResourceAttributes": _MAP},
    **{"ScopeName": "String", "ScopeVersion": "String", "SpanAttributes": _MAP, "Duration": "UInt64"},
    **{"StatusCode": _LC, "StatusMessage": "String", "Events.Timestamp": "Array(DateTime64(9))"},
    **{"Events.Name": f"Array({_LC})", "Events.Attributes": f"Array({_MAP})", "Links.TraceId": "Array(String)"},
    **{"Links.SpanId": "Array(String)", "Links.TraceState": "Array(String)", "Links.Attributes": f"Array({_MAP})"},
}
"""The columns the Collector's exporter writes."""


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


def _native(columns: dict[str, tuple[str, list[bytes]]]) -> bytes:
    """A block in the form of clickhouse-go's protocol revision; fewer than 128 columns and rows, short texts."""
    rows = len(next(iter(columns.values()))[1])
    head = b"\x01\x00\x02" + struct.pack("<i", -1) + b"\x00" + bytes([len(columns), rows])
    parts = [_text(name) + _text(kind) + b"\x00" + b"".join(values) for name, (kind, values) in columns.items()]
    return head + b"".join(parts)


def _hello() -> bytes:
    texts = {"displayName()": "sink", "version()": "26.9.2.1", "timezone()": "UTC"}
    columns = {name: ("String", [_text(value)]) for name, value in texts.items()}
    revision = {"revision()": ("UInt32", [struct.pack("<I", _REVISION)])}
    order = ("displayName()", "version()", "revision()", "timezone()")
    return _native({name: {**columns, **revision}[name] for name in order})


def _described() -> bytes:
    empty = [_text("")] * len(_OTEL_TRACES)
    names = ("default_type", "default_expression", "comment", "codec_expression", "ttl_expression")
    said = {"name": list(map(_text, _OTEL_TRACES)), "type": list(map(_text, _OTEL_TRACES.values()))}
    return _native({name: ("String", values) for name, values in {**said, **dict.fromkeys(names, empty)}.items()})


class Sink(Engine):
    """The bridge's engine, without the rows."""

    received = 0
    inserts = 0

    def run(self, statement: Statement, request: Request) -> Outcome:
        sql = statement.sql
        if statement.keyword == "INSERT" and any(name in sql for name in _FORGOTTEN):
            self.received += len(statement.data)
            self.inserts += 1
            return Outcome(b"", {"written_rows": "0"})
        if sql.startswith(b"SELECT received"):
            return Outcome(json.dumps({"bytes": self.received, "inserts": self.inserts}).encode())
        if b"displayName()" in sql:
            return Outcome(_hello())
        if sql.startswith(b"DESCRIBE TABLE") and b"otel_traces" in sql:
            return Outcome(_described())
        if _ARRIVED in sql:
            statement = Statement(b"SELECT toUInt64(1) AS rows" + sql[sql.rindex(b"FORMAT") - 1 :], "SELECT")
        return super().run(statement, request)


if __name__ == "__main__":
    server.Engine = Sink  # type: ignore[misc]
    sys.exit(server.main())
