-- Log records: span starts and heartbeats, approvals, decisions, and whatever else agents log.
CREATE TABLE IF NOT EXISTS log_rows
(
    ingester LowCardinality(String),
    seq UInt64,
    received_at DateTime64(9, 'UTC'),
    time DateTime64(9, 'UTC'),
    observed_time DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    event_name LowCardinality(String),
    severity LowCardinality(String),
    body String,
    service_name LowCardinality(String),
    scope_name LowCardinality(String),
    attributes Map(LowCardinality(String), String),
    resource_attributes Map(LowCardinality(String), String),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_event event_name TYPE set(100) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(time)
ORDER BY (service_name, event_name, toStartOfMinute(time), trace_id, span_id, time, cityHash64(body, attributes))
SETTINGS non_replicated_deduplication_window = 20000, fsync_after_insert = 1, fsync_part_directory = 1;
