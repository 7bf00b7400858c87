-- What the authority rules need of a span beyond 0001: where it ran, the chain and depth of the delegation, why a decision
-- fell, when a credential begins to count, and what exactly an approval covers.
ALTER TABLE span_rows ADD COLUMN IF NOT EXISTS host_name LowCardinality(String) AFTER agent_instance_id,
    ADD COLUMN IF NOT EXISTS delegation_chain Array(LowCardinality(String)) AFTER delegation_parent_id,
    ADD COLUMN IF NOT EXISTS delegation_depth Nullable(UInt64) AFTER delegation_chain,
    ADD COLUMN IF NOT EXISTS delegation_max_depth Nullable(UInt64) AFTER delegation_depth,
    ADD COLUMN IF NOT EXISTS authz_mode LowCardinality(String) AFTER authz_outcome,
    ADD COLUMN IF NOT EXISTS authz_reason LowCardinality(String) AFTER authz_mode,
    ADD COLUMN IF NOT EXISTS credential_issued_at String AFTER credential_type,
    ADD COLUMN IF NOT EXISTS approval_grant LowCardinality(String) AFTER approver_id,
    ADD COLUMN IF NOT EXISTS approval_digest String AFTER approval_grant,
    ADD COLUMN IF NOT EXISTS approval_expires_at String AFTER approval_digest;
ALTER TABLE log_rows ADD COLUMN IF NOT EXISTS host_name LowCardinality(String) AFTER agent_instance_id,
    ADD COLUMN IF NOT EXISTS delegation_chain Array(LowCardinality(String)) AFTER delegation_parent_id,
    ADD COLUMN IF NOT EXISTS delegation_depth Nullable(UInt64) AFTER delegation_chain,
    ADD COLUMN IF NOT EXISTS delegation_max_depth Nullable(UInt64) AFTER delegation_depth,
    ADD COLUMN IF NOT EXISTS authz_mode LowCardinality(String) AFTER authz_outcome,
    ADD COLUMN IF NOT EXISTS authz_reason LowCardinality(String) AFTER authz_mode,
    ADD COLUMN IF NOT EXISTS credential_issued_at String AFTER credential_type,
    ADD COLUMN IF NOT EXISTS approval_grant LowCardinality(String) AFTER approver_id,
    ADD COLUMN IF NOT EXISTS approval_digest String AFTER approval_grant,
    ADD COLUMN IF NOT EXISTS approval_expires_at String AFTER approval_digest;

-- Who used a credential, and which actions used up an approval: one row per (credential, actor, trace), or per action.
CREATE TABLE IF NOT EXISTS custody
(
    kind LowCardinality(String),
    id String,
    actor_id String,
    actor_name LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    is_void Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, id, actor_id, trace_id, if(kind = 'approval', span_id, toFixedString('', 8)))
TTL toDateTime(start_time) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Authority that was taken back: grants by the id of their delegation, and credentials.
CREATE TABLE IF NOT EXISTS revocations
(
    id String,
    revoked_at DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    reason LowCardinality(String),
    received_at DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (id, revoked_at, trace_id, span_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS revocations_of_logs TO revocations AS
SELECT arrayJoin(arrayFilter(x -> x != '', multiIf(event_name = 'actorscope.authz.revocation', [delegation_id, credential_id],
        position(authz_reason, 'credential') > 0 OR position(authz_reason, 'token') > 0, [credential_id], [delegation_id]))) AS id,
    time AS revoked_at, trace_id, span_id, if(authz_reason = '', 'revoked', authz_reason) AS reason, received_at
FROM log_rows
WHERE event_name = 'actorscope.authz.revocation' OR (authz_outcome = 'deny' AND position(authz_reason, 'revoked') > 0);

CREATE MATERIALIZED VIEW IF NOT EXISTS revocations_of_spans TO revocations AS
SELECT arrayJoin(arrayFilter(x -> x != '', if(position(authz_reason, 'credential') > 0 OR position(authz_reason, 'token') > 0,
        [credential_id], [delegation_id]))) AS id,
    start_time AS revoked_at, trace_id, span_id, authz_reason AS reason, received_at
FROM span_rows
WHERE authz_outcome = 'deny' AND position(authz_reason, 'revoked') > 0;
