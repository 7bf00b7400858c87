-- What the cost rules need of a run beyond 0004: what its models wrote, and which model answered most of its calls.
ALTER TABLE span_facts ADD COLUMN IF NOT EXISTS run_output_tokens Nullable(Int64) AFTER run_calls,
    ADD COLUMN IF NOT EXISTS run_model LowCardinality(String) AFTER run_output_tokens;
