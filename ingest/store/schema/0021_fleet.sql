-- What the explorer shows of an actor stands with its facts, so that a look at millions of spans joins none of them: as whom and where
-- it acted, through what, with which scope, and the tokens of its calls. Facts of earlier stores get it when their traces are looked
-- at again.
ALTER TABLE span_facts ADD COLUMN IF NOT EXISTS principal_id LowCardinality(String) AFTER model,
    ADD COLUMN IF NOT EXISTS credential_id String AFTER principal_id,
    ADD COLUMN IF NOT EXISTS credential_type LowCardinality(String) AFTER credential_id,
    ADD COLUMN IF NOT EXISTS scope_used Array(LowCardinality(String)) AFTER credential_type,
    ADD COLUMN IF NOT EXISTS host_name LowCardinality(String) AFTER scope_used,
    ADD COLUMN IF NOT EXISTS agent_version LowCardinality(String) AFTER host_name,
    ADD COLUMN IF NOT EXISTS dialect LowCardinality(String) AFTER agent_version,
    ADD COLUMN IF NOT EXISTS service_name LowCardinality(String) AFTER dialect,
    ADD COLUMN IF NOT EXISTS input_tokens Nullable(UInt64) AFTER service_name,
    ADD COLUMN IF NOT EXISTS output_tokens Nullable(UInt64) AFTER input_tokens;

-- Days that are over become one part each: what is read of them need not be merged in every question.
ALTER TABLE span_facts MODIFY SETTING min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE delegation_rows MODIFY SETTING min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;
