-- What an action acts on, in canonical form (see ingest/targets.py), and its fingerprints where content is not kept.
ALTER TABLE span_facts ADD COLUMN IF NOT EXISTS targets Array(String) AFTER state;
ALTER TABLE span_rows ADD COLUMN IF NOT EXISTS target_prints Array(LowCardinality(String)) AFTER error_type,
    ADD COLUMN IF NOT EXISTS mention_prints Array(LowCardinality(String)) AFTER target_prints;
ALTER TABLE log_rows ADD COLUMN IF NOT EXISTS target_prints Array(LowCardinality(String)) AFTER error_type,
    ADD COLUMN IF NOT EXISTS mention_prints Array(LowCardinality(String)) AFTER target_prints;
