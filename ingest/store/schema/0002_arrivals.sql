-- New spans, and log records that name a span, in the order in which they were kept: what analysis reads next, so that its cost follows new data only.
-- Partitions that analysis has finished are dropped by it.
CREATE TABLE IF NOT EXISTS arrivals
(
    ingester LowCardinality(String),
    seq UInt64,
    received_at DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    start_time DateTime64(9, 'UTC'),
    is_log Bool
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (ingester, seq)
SETTINGS non_replicated_deduplication_window = 20000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_of_spans TO arrivals AS
SELECT ingester, seq, received_at, trace_id, start_time, false AS is_log FROM span_rows;

-- What traces that belong together have in common, hashed (see analysis/stitch.py, which spells the same keys).
CREATE TABLE IF NOT EXISTS stitches
(
    key UInt64,
    start_time DateTime64(9, 'UTC'),
    trace_id FixedString(16)
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(start_time)
ORDER BY (key, trace_id)
TTL toDateTime(start_time) + INTERVAL 30 DAY
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 20000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS stitches_of_spans TO stitches AS
WITH operation = 'execute_tool' AND result = '' AND (tool_call_id != '' OR input_digest != '') AS is_bare
SELECT
    cityHash64(arrayJoin(arrayFilter(x -> x != '', arrayConcat(
        [
            if(delegation_id = '', '', concat('delegation ', delegation_id)),
            if(task_id = '', '', concat('task ', task_id)),
            if(is_bare, concat('bare ', service_name), ''),
            if(is_bare, concat('bare ', service_name, ' ', tool_name, ' ', if(tool_call_id = '', input_digest, tool_call_id)), ''),
            if(conversation_id = '' OR NOT (operation IN ('invoke_agent', 'handoff') OR delegate_name != '' OR delegation_mode != ''),
                '', concat('conversation ', conversation_id))
        ],
        arrayMap(x -> concat('trace ', lower(hex(x))), link_trace_ids)
    )))) AS key,
    start_time,
    trace_id
FROM span_rows;

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
