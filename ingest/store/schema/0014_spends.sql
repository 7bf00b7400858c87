-- What the cost rules need of a run beyond 0004: what its models wrote, and which model answered most of its calls; and of what
-- costs something who started it, through whom, and what the money went into (see analysis/spends.py).
ALTER TABLE span_facts ADD COLUMN IF NOT EXISTS run_output_tokens Nullable(Int64) AFTER run_calls,
    ADD COLUMN IF NOT EXISTS run_model LowCardinality(String) AFTER run_output_tokens,
    ADD COLUMN IF NOT EXISTS starter_id String AFTER targets,
    ADD COLUMN IF NOT EXISTS starter_name String AFTER starter_id,
    ADD COLUMN IF NOT EXISTS starter_type LowCardinality(String) AFTER starter_name,
    ADD COLUMN IF NOT EXISTS chain Array(LowCardinality(String)) AFTER starter_type,
    ADD COLUMN IF NOT EXISTS root_trace_id String AFTER chain,
    ADD COLUMN IF NOT EXISTS root_span_id String AFTER root_trace_id,
    ADD COLUMN IF NOT EXISTS spend LowCardinality(String) AFTER root_span_id,
    ADD COLUMN IF NOT EXISTS phase LowCardinality(String) AFTER spend,
    ADD COLUMN IF NOT EXISTS tenant LowCardinality(String) AFTER phase,
    ADD COLUMN IF NOT EXISTS model LowCardinality(String) AFTER tenant;

-- Rollup: one row per span that costs something, in order of time.
CREATE TABLE IF NOT EXISTS spends
(
    start_time DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    run_span_id String,
    role LowCardinality(String),
    actor_id LowCardinality(String),
    actor_name LowCardinality(String),
    starter_id String,
    starter_name String,
    starter_type LowCardinality(String),
    chain Array(LowCardinality(String)),
    root_trace_id String,
    root_span_id String,
    task_kind LowCardinality(String),
    tenant LowCardinality(String),
    phase LowCardinality(String),
    model LowCardinality(String),
    spend LowCardinality(String),
    cost_usd Float64,
    cost_source LowCardinality(String),
    is_void Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (toStartOfMinute(start_time), trace_id, span_id)
TTL toDateTime(start_time) + INTERVAL 400 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS spends_of_facts TO spends AS
SELECT start_time, trace_id, span_id, run_span_id, role, actor_id, actor_name, starter_id, starter_name, starter_type, chain,
    root_trace_id, root_span_id, task_kind, tenant, phase, model, spend, cost_usd, cost_source, false AS is_void, version
FROM span_facts
WHERE cost_usd IS NOT NULL;

-- Rollup: what nodes with budgets spent in each minute, and up to 16 of the runs that spent it (see analysis/budgets.py).
CREATE TABLE IF NOT EXISTS spend_minutes
(
    node LowCardinality(String),
    id String,
    minute DateTime('UTC'),
    usd Float64,
    roots Array(UInt64),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (node, id, minute)
TTL minute + INTERVAL 400 DAY;
