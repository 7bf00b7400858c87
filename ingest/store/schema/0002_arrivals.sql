-- New spans in the order in which they were kept: what analysis reads next, so that its cost follows new data only.
-- Partitions that analysis has finished are dropped by it.
CREATE TABLE IF NOT EXISTS arrivals
(
    ingester LowCardinality(String),
    seq UInt64,
    received_at DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (ingester, seq)
SETTINGS non_replicated_deduplication_window = 20000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_of_spans TO arrivals AS
SELECT ingester, seq, received_at, trace_id, span_id, start_time FROM span_rows;

-- One row per log segment that is in the store, with the digests of the requests in it:
-- a request sent again is recognised after a restart.
CREATE TABLE IF NOT EXISTS segments
(
    ingester LowCardinality(String),
    segment UInt64,
    spans UInt64,
    logs UInt64,
    requests Array(FixedString(16)),
    first_received_at DateTime64(9, 'UTC'),
    stored_at DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(stored_at)
ORDER BY (ingester, segment)
TTL toDateTime(stored_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 20000, fsync_after_insert = 1, fsync_part_directory = 1;
