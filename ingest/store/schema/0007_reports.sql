-- What each ingester says about itself from time to time, so that others know how it fares: the explorer, and the detectors
-- of family `system` where they run in another process. `counts` go up from the start of the process.
CREATE TABLE IF NOT EXISTS ingest_reports
(
    ingester LowCardinality(String),
    at DateTime64(3, 'UTC'),
    started_at DateTime64(3, 'UTC'),
    lag_seconds Float64,
    spool_bytes UInt64,
    spool_limit UInt64,
    counts Map(LowCardinality(String), UInt64)
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY (ingester, at)
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;
