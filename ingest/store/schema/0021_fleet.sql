-- What the fleet shows of an actor stands with its facts, so that a look at millions of spans joins none of them: as whom it acted,
-- through what, and the tokens of its calls. Facts of earlier stores get it when their traces are looked at again.
ALTER TABLE span_facts ADD COLUMN IF NOT EXISTS principal_id LowCardinality(String) AFTER model,
    ADD COLUMN IF NOT EXISTS credential_id String AFTER principal_id,
    ADD COLUMN IF NOT EXISTS dialect LowCardinality(String) AFTER credential_id,
    ADD COLUMN IF NOT EXISTS service_name LowCardinality(String) AFTER dialect,
    ADD COLUMN IF NOT EXISTS input_tokens Nullable(UInt64) AFTER service_name,
    ADD COLUMN IF NOT EXISTS output_tokens Nullable(UInt64) AFTER input_tokens;
