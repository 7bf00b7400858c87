-- Steps that stand still for something, from the log records that say so; analysis adds a row when one is over.
CREATE TABLE IF NOT EXISTS waits
(
    received_at DateTime64(9, 'UTC'),
    time DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    is_over Bool
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY received_at
TTL toDateTime(received_at) + INTERVAL 3 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 20000;

CREATE MATERIALIZED VIEW IF NOT EXISTS waits_of_logs TO waits AS
SELECT received_at, time, trace_id, span_id, event_name = 'actorscope.wait.end' AS is_over
FROM log_rows
WHERE event_name IN ('actorscope.span.start', 'actorscope.wait.start', 'actorscope.wait.end') AND wait_target_type != '';

-- Where the runs are that others may wait for; they are in no span yet.
CREATE MATERIALIZED VIEW IF NOT EXISTS stitches_of_starts TO stitches AS
SELECT
    cityHash64(arrayJoin(arrayFilter(x -> x != '', [
        if(agent_instance_id = '', '', concat('open instance ', agent_instance_id)),
        if(delegation_id = '' OR operation != 'invoke_agent', '', concat('open delegation ', delegation_id))
    ]))) AS key,
    time AS start_time,
    trace_id
FROM log_rows
WHERE event_name = 'actorscope.span.start';
