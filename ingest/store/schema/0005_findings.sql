-- Findings: the highest version of an id is its present state; `body` is the JSON of the contract without occurrences.
CREATE TABLE IF NOT EXISTS finding_rows
(
    id String,
    fingerprint String,
    detector LowCardinality(String),
    family LowCardinality(String),
    rule LowCardinality(String),
    severity LowCardinality(String),
    state LowCardinality(String),
    title String,
    subject_id LowCardinality(String),
    subject_name LowCardinality(String),
    confidence Float64,
    count UInt64,
    cost_usd Nullable(Float64),
    opened_at DateTime64(9, 'UTC'),
    updated_at DateTime64(9, 'UTC'),
    first_evidence_at DateTime64(9, 'UTC'),
    last_evidence_at DateTime64(9, 'UTC'),
    body String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Every place where a finding was seen. A retracted one was not supported by the evidence that came later.
CREATE TABLE IF NOT EXISTS occurrences
(
    finding_id String,
    trace_id String,
    span_id String,
    at DateTime64(9, 'UTC'),
    severity LowCardinality(String),
    is_retracted Bool,
    version UInt64,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (finding_id, trace_id, span_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What happened to findings, in order; each row is told to subscribers once.
CREATE TABLE IF NOT EXISTS transitions
(
    id String,
    finding_id String,
    kind LowCardinality(String),
    severity LowCardinality(String),
    at DateTime64(9, 'UTC'),
    body String
)
ENGINE = ReplacingMergeTree
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The outbox: one row per transition and subscriber, its highest version is its state.
CREATE TABLE IF NOT EXISTS outbox
(
    id String,
    subscriber LowCardinality(String),
    kind LowCardinality(String),
    finding_id String,
    body String,
    state LowCardinality(String),
    attempts UInt32,
    next_attempt_at DateTime64(3, 'UTC'),
    created_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC'),
    last_status Int32,
    last_error String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (id, subscriber)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The delivery log: one row per attempt.
CREATE TABLE IF NOT EXISTS deliveries
(
    id String,
    subscriber LowCardinality(String),
    attempt UInt32,
    at DateTime64(3, 'UTC'),
    status Int32,
    latency_ms UInt32,
    error String
)
ENGINE = MergeTree
ORDER BY (at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
