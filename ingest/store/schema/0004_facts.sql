-- What analysis worked out about spans: whose they are, why, and at what cost. The highest version of a span counts.
CREATE TABLE IF NOT EXISTS span_facts
(
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    role LowCardinality(String),
    run_span_id String,
    parent_run_span_id String,
    actor_id LowCardinality(String),
    actor_name LowCardinality(String),
    actor_basis LowCardinality(String),
    actor_kind LowCardinality(String),
    caller_id LowCardinality(String),
    caller_name LowCardinality(String),
    task_kind LowCardinality(String),
    trigger LowCardinality(String),
    user_id String,
    conversation_id String,
    cause_id String,
    cause_basis LowCardinality(String),
    is_error Bool,
    is_counted Bool,
    cost_usd Nullable(Float64),
    cost_source LowCardinality(String),
    attempt UInt32,
    tool_name LowCardinality(String),
    side_effect LowCardinality(String),
    signature String,
    is_replayed Bool,
    idempotency_digest String,
    cause_request String,
    run_cost_usd Nullable(Float64),
    run_tokens Nullable(Int64),
    run_calls Nullable(Int64),
    asked_arguments String,
    input_digest String,
    error_type LowCardinality(String),
    approval_id String,
    approval_status LowCardinality(String),
    approver_type LowCardinality(String),
    approver_id String,
    approval_basis LowCardinality(String),
    authz_outcome LowCardinality(String),
    state LowCardinality(String),
    fact_digest UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toDate(start_time)
ORDER BY (trace_id, span_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS delegation_rows
(
    trace_id FixedString(16),
    span_id FixedString(8),
    delegate_span_id String,
    delegator_id LowCardinality(String),
    delegator_name LowCardinality(String),
    delegate_id LowCardinality(String),
    delegate_name LowCardinality(String),
    mode LowCardinality(String),
    start_time DateTime64(9, 'UTC'),
    basis LowCardinality(String),
    is_gone Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toDate(start_time)
ORDER BY (trace_id, span_id, delegate_span_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Rollup: successful writes by what they did, so that a repetition is found without reading history.
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
ORDER BY (signature, start_time, trace_id, span_id)
TTL toDateTime(start_time) + INTERVAL 400 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS effects_of_facts TO effects AS
SELECT signature, start_time, trace_id, span_id, actor_id, actor_name, tool_name, cause_id, trigger, conversation_id,
    idempotency_digest, user_id, cause_request, is_error OR is_replayed AS is_void, version
FROM span_facts
WHERE role = 'action' AND side_effect IN ('write', 'destructive') AND signature != '';

-- Rollup: one row per run of an agent, in the order of the budgets and outlier rules.
CREATE TABLE IF NOT EXISTS runs
(
    actor_id LowCardinality(String),
    task_kind LowCardinality(String),
    start_time DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    is_top Bool,
    is_void Bool,
    run_cost_usd Nullable(Float64),
    run_tokens Nullable(Int64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (actor_id, toDate(start_time), start_time, trace_id, span_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS runs_of_facts TO runs AS
SELECT actor_id, task_kind, start_time, trace_id, span_id, parent_run_span_id = '' AS is_top, role = 'echo' AS is_void,
    run_cost_usd, run_tokens, version
FROM span_facts
WHERE role IN ('run', 'echo');

-- Bounded memories of what is normal: the first or the latest few runs of a key (see analysis/baselines.py).
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
ORDER BY (name, key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How far analysis has come, per ingester, in order of arrival.
CREATE TABLE IF NOT EXISTS progress
(
    ingester LowCardinality(String),
    seq UInt64,
    spans UInt64,
    updated_at DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY ingester
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
