-- What is looked up by keys that are mostly new is ordered by their hash: to find nothing reads a column of numbers and no
-- text, whatever the history. Memories of one agent and kind of task lie together. Every statement may be repeated.
CREATE TABLE IF NOT EXISTS baselines
(
    name LowCardinality(String),
    key String,
    at Array(DateTime64(9, 'UTC')),
    trace_id Array(String),
    value Array(Float64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (name, key);

CREATE TABLE IF NOT EXISTS baselines_by_hash
(
    name LowCardinality(String),
    prefix UInt64 MATERIALIZED cityHash64(arrayStringConcat(arraySlice(splitByChar('\x1f', key), 1, 2), '\x1f')),
    hash UInt64 MATERIALIZED cityHash64(key),
    key String,
    at Array(DateTime64(9, 'UTC')),
    trace_id Array(String),
    value Array(Float64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (name, prefix, hash, key)
TTL toDateTime(fromUnixTimestamp64Nano(toInt64(version))) + INTERVAL 40 DAY DELETE WHERE name IN ('cause_writes', 'failures', 'whereabouts')
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

INSERT INTO baselines_by_hash (name, key, at, trace_id, value, version) SELECT name, key, at, trace_id, value, version FROM baselines;
DROP TABLE baselines;
RENAME TABLE baselines_by_hash TO baselines;

DROP VIEW IF EXISTS effects_of_facts;

CREATE TABLE IF NOT EXISTS effects
(
    signature String,
    start_time DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    actor_id LowCardinality(String),
    actor_name LowCardinality(String),
    tool_name LowCardinality(String),
    cause_id String,
    trigger LowCardinality(String),
    conversation_id String,
    idempotency_digest String,
    user_id String,
    cause_request String,
    is_void Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (signature, start_time, trace_id, span_id);

CREATE TABLE IF NOT EXISTS effects_by_hash
(
    hash UInt64 MATERIALIZED cityHash64(signature),
    signature String,
    start_time DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    actor_id LowCardinality(String),
    actor_name LowCardinality(String),
    tool_name LowCardinality(String),
    cause_id String,
    trigger LowCardinality(String),
    conversation_id String,
    idempotency_digest String,
    user_id String,
    cause_request String,
    is_void Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (hash, signature, start_time, trace_id, span_id)
TTL toDateTime(start_time) + INTERVAL 400 DAY
SETTINGS index_granularity = 512;

INSERT INTO effects_by_hash SELECT * FROM effects;
DROP TABLE effects;
RENAME TABLE effects_by_hash TO effects;

CREATE MATERIALIZED VIEW IF NOT EXISTS effects_of_facts TO effects AS
SELECT signature, start_time, trace_id, span_id, actor_id, actor_name, tool_name, cause_id, trigger, conversation_id,
    idempotency_digest, user_id, cause_request, is_error OR is_replayed AS is_void, version
FROM span_facts
WHERE role = 'action' AND side_effect IN ('write', 'destructive') AND signature != '';
