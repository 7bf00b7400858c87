"""For tests only: the table and the rows that the tests of the bridge write and read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

TABLE = """
CREATE TABLE spans (
    id FixedString(4), kind LowCardinality(String), attrs Map(LowCardinality(String), String),
    at DateTime64(9, 'UTC'), cost Nullable(Float64), tags Array(String), version UInt64
) ENGINE = ReplacingMergeTree(version) ORDER BY id SETTINGS non_replicated_deduplication_window = 1000
"""
INSTANT = 1_700_000_000_123_456_789


def rows(*ids: str, version: int = 1) -> pa.Table:
    count = len(ids)
    return pa.table(
        {
            "id": pa.array([each.encode() for each in ids], pa.binary(4)),
            "kind": pa.array(["tool"] * count).dictionary_encode(),
            "attrs": pa.array([[("model", "m"), ("it's", "a\tb")]] * count, pa.map_(pa.string(), pa.string())),
            "at": pa.array([INSTANT] * count, pa.timestamp("ns", "UTC")),
            "cost": pa.array([None] * count, pa.float64()),
            "tags": pa.array([["x", "y'\\"]] * count, pa.list_(pa.string())),
            "version": pa.array([version] * count, pa.uint64()),
        }
    )


def count(client: Any) -> int:
    return int(client.query("SELECT count() FROM spans").result_rows[0][0])
