-- The documented, stable views (see docs/views.md). Ids are lowercase hex; times are UTC.
CREATE OR REPLACE VIEW spans AS
SELECT
    lower(hex(s.trace_id)) AS trace_id,
    lower(hex(s.span_id)) AS span_id,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_span_id,
    s.name AS name,
    s.kind AS kind,
    s.start_time AS start_time,
    s.end_time AS end_time,
    toUInt64(greatest(0, toUnixTimestamp64Nano(s.end_time) - toUnixTimestamp64Nano(s.start_time))) AS duration_ns,
    s.status_code AS status_code,
    s.status_message AS status_message,
    s.service_name AS service_name,
    s.scope_name AS scope_name,
    s.dialect AS dialect,
    s.operation AS operation,
    s.operation_basis AS operation_basis,
    f.actor_id AS actor_id,
    if(f.actor_name != '', f.actor_name, s.agent_name) AS actor_name,
    if(f.actor_basis != '', f.actor_basis, s.agent_basis) AS actor_basis,
    if(f.conversation_id != '', f.conversation_id, s.conversation_id) AS conversation_id,
    f.task_kind AS task_kind,
    f.cause_id AS cause_id,
    f.cause_basis AS cause_basis,
    f.cost_usd AS cost_usd,
    s.tool_name AS tool_name,
    s.model AS model,
    s.error_type AS error_type,
    s.attributes AS attributes,
    s.resource_attributes AS resource_attributes,
    s.event_times AS event_times,
    s.event_names AS event_names,
    s.event_attributes AS event_attributes,
    arrayMap(x -> lower(hex(x)), s.link_trace_ids) AS link_trace_ids,
    arrayMap(x -> lower(hex(x)), s.link_span_ids) AS link_span_ids,
    s.received_at AS received_at
FROM span_rows AS s FINAL
LEFT JOIN span_facts AS f FINAL ON f.trace_id = s.trace_id AND f.span_id = s.span_id;

CREATE OR REPLACE VIEW agent_runs AS
SELECT
    lower(hex(s.trace_id)) AS trace_id,
    lower(hex(s.span_id)) AS span_id,
    f.actor_id AS actor_id,
    f.actor_name AS actor_name,
    f.actor_basis AS actor_basis,
    f.caller_id AS delegator_id,
    multiIf(f.caller_name != '', f.caller_name, s.delegator_name != '', s.delegator_name, s.delegator_id) AS delegator_name,
    f.parent_run_span_id AS parent_run_span_id,
    f.trigger AS trigger,
    f.task_kind AS task_kind,
    f.user_id AS user_id,
    f.conversation_id AS conversation_id,
    f.cause_id AS cause_id,
    f.cause_basis AS cause_basis,
    s.service_name AS service_name,
    s.dialect AS dialect,
    s.start_time AS start_time,
    s.end_time AS end_time,
    s.status_code AS status_code,
    s.error_type AS error_type,
    s.input_tokens AS stated_input_tokens,
    s.output_tokens AS stated_output_tokens,
    u.input_tokens AS input_tokens,
    u.output_tokens AS output_tokens,
    u.cost_usd AS cost_usd,
    f.run_cost_usd AS total_cost_usd,
    f.run_tokens AS total_tokens,
    f.run_calls AS total_calls
FROM span_rows AS s FINAL
INNER JOIN span_facts AS f FINAL ON f.trace_id = s.trace_id AND f.span_id = s.span_id
LEFT JOIN
(
    SELECT c.trace_id AS trace_id, f.run_span_id AS run_span_id, sumIf(c.input_tokens, f.is_counted) AS input_tokens,
        sumIf(c.output_tokens, f.is_counted) AS output_tokens, sum(f.cost_usd) AS cost_usd
    FROM span_rows AS c FINAL
    INNER JOIN span_facts AS f FINAL ON f.trace_id = c.trace_id AND f.span_id = c.span_id
    WHERE f.is_counted OR f.cost_usd > 0
    GROUP BY c.trace_id, f.run_span_id
) AS u ON u.trace_id = s.trace_id AND u.run_span_id = lower(hex(s.span_id))
WHERE f.role = 'run';

CREATE OR REPLACE VIEW delegations AS
SELECT
    lower(hex(d.trace_id)) AS trace_id,
    lower(hex(d.span_id)) AS span_id,
    d.delegator_id AS delegator_id,
    d.delegator_name AS delegator_name,
    d.delegate_id AS delegate_id,
    d.delegate_name AS delegate_name,
    d.delegate_span_id AS delegate_span_id,
    d.mode AS mode,
    d.start_time AS start_time,
    d.basis AS basis
FROM delegation_rows AS d FINAL
WHERE NOT d.is_gone;

CREATE OR REPLACE VIEW actions AS
SELECT
    lower(hex(s.trace_id)) AS trace_id,
    lower(hex(s.span_id)) AS span_id,
    f.run_span_id AS run_span_id,
    f.actor_id AS actor_id,
    f.actor_name AS actor_name,
    f.actor_basis AS actor_basis,
    s.tool_name AS tool_name,
    s.tool_call_id AS tool_call_id,
    s.arguments AS arguments,
    s.result AS result,
    s.input_digest AS input_digest,
    s.side_effect AS side_effect,
    s.side_effect_basis AS side_effect_basis,
    s.target AS target,
    s.scope_used AS scope_used,
    s.approval_id AS approval_id,
    s.status_code AS status_code,
    multiIf(s.error_type != '', s.error_type, s.status_code = 'error', 'error', '') AS error_type,
    f.task_kind AS task_kind,
    f.cause_id AS cause_id,
    f.cause_basis AS cause_basis,
    f.cost_usd AS cost_usd,
    s.start_time AS start_time,
    s.end_time AS end_time,
    f.attempt AS attempt
FROM span_rows AS s FINAL
INNER JOIN span_facts AS f FINAL ON f.trace_id = s.trace_id AND f.span_id = s.span_id
WHERE f.role = 'action';

CREATE OR REPLACE VIEW model_calls AS
SELECT
    lower(hex(s.trace_id)) AS trace_id,
    lower(hex(s.span_id)) AS span_id,
    f.run_span_id AS run_span_id,
    f.actor_id AS actor_id,
    f.actor_name AS actor_name,
    f.actor_basis AS actor_basis,
    s.provider AS provider,
    s.model AS model,
    s.response_id AS response_id,
    s.input_tokens AS input_tokens,
    s.output_tokens AS output_tokens,
    s.cached_tokens AS cached_tokens,
    s.reasoning_tokens AS reasoning_tokens,
    f.cost_usd AS cost_usd,
    f.cost_source AS cost_source,
    s.phase AS phase,
    s.status_code AS status_code,
    s.error_type AS error_type,
    s.start_time AS start_time,
    s.end_time AS end_time
FROM span_rows AS s FINAL
INNER JOIN span_facts AS f FINAL ON f.trace_id = s.trace_id AND f.span_id = s.span_id
WHERE f.role = 'model_call' AND f.is_counted;

CREATE OR REPLACE VIEW approvals AS
SELECT
    e.approval AS approval_id,
    anyIf(e.trace, e.trace != '') AS trace_id,
    anyIf(e.span, e.is_action) AS action_span_id,
    minIf(e.at, e.state IN ('', 'pending')) AS requested_at,
    maxIf(e.at, e.state NOT IN ('', 'pending')) AS resolved_at,
    if(countIf(e.state NOT IN ('', 'pending')) = 0, 'pending', argMaxIf(e.state, e.at, e.state NOT IN ('', 'pending'))) AS status,
    argMaxIf(e.by_type, e.at, e.by_type != '') AS approver_type,
    argMaxIf(e.by_id, e.at, e.by_id != '') AS approver_id,
    argMaxIf(e.digest, e.at, e.digest != '') AS action_digest
FROM
(
    SELECT s.approval_id AS approval, lower(hex(s.trace_id)) AS trace, lower(hex(s.span_id)) AS span,
        s.operation = 'execute_tool' AS is_action, s.start_time AS at, toString(s.approval_status) AS state,
        toString(s.approver_type) AS by_type, s.approver_id AS by_id,
        s.attributes['actorscope.approval.action.digest'] AS digest
    FROM span_rows AS s FINAL
    WHERE s.approval_id != ''
    UNION ALL
    SELECT l.attributes['actorscope.approval.id'], lower(hex(l.trace_id)), lower(hex(l.span_id)), false, l.time,
        multiIf(l.attributes['actorscope.approval.status'] != '', l.attributes['actorscope.approval.status'],
            l.event_name = 'actorscope.approval.request', 'pending', ''),
        l.attributes['actorscope.approval.approver.type'], l.attributes['actorscope.approval.approver.id'],
        l.attributes['actorscope.approval.action.digest']
    FROM log_rows AS l FINAL
    WHERE l.event_name IN ('actorscope.approval.request', 'actorscope.approval.resolution')
        AND l.attributes['actorscope.approval.id'] != ''
) AS e
GROUP BY e.approval;

CREATE OR REPLACE VIEW open_spans AS
SELECT
    lower(hex(l.trace_id)) AS trace_id,
    lower(hex(l.span_id)) AS span_id,
    argMaxIf(l.attributes['actorscope.span.parent.id'], l.time, l.event_name = 'actorscope.span.start') AS parent_span_id,
    argMaxIf(l.attributes['actorscope.span.name'], l.time, l.event_name = 'actorscope.span.start') AS name,
    argMaxIf(l.attributes['gen_ai.agent.name'], l.time, l.event_name = 'actorscope.span.start') AS actor_name,
    any(l.service_name) AS service_name,
    minIf(l.time, l.event_name = 'actorscope.span.start') AS started_at,
    max(l.time) AS last_heartbeat_at
FROM log_rows AS l FINAL
LEFT ANTI JOIN span_rows AS s ON s.trace_id = l.trace_id AND s.span_id = l.span_id
WHERE l.event_name IN ('actorscope.span.start', 'actorscope.span.heartbeat')
GROUP BY l.trace_id, l.span_id;

CREATE OR REPLACE VIEW findings AS
SELECT
    f.id AS id, f.detector AS detector, f.family AS family, f.rule AS rule, f.severity AS severity,
    f.confidence AS confidence, f.state AS state, f.title AS title, f.subject_id AS subject_id,
    f.subject_name AS subject_name, f.opened_at AS opened_at, f.updated_at AS updated_at,
    f.first_evidence_at AS first_evidence_at, f.last_evidence_at AS last_evidence_at, f.count AS count,
    f.cost_usd AS cost_usd,
    JSONExtractRaw(f.body, 'subject') AS subject,
    JSONExtractRaw(f.body, 'evidence') AS evidence,
    o.places AS occurrences,
    JSONExtractRaw(f.body, 'baseline') AS baseline,
    JSONExtractString(f.body, 'counterfactual') AS counterfactual,
    JSONExtractRaw(f.body, 'impact') AS impact,
    JSONExtractString(f.body, 'basis') AS basis,
    JSONExtractRaw(f.body, 'caveats') AS caveats,
    f.fingerprint AS fingerprint
FROM finding_rows AS f FINAL
LEFT JOIN
(
    SELECT c.finding_id AS finding_id,
        CAST(arraySlice(arrayReverseSort(x -> x.3, groupArray((c.trace_id, c.span_id, c.at))), 1, 1000),
            'Array(Tuple(trace_id String, span_id String, at DateTime64(9, \'UTC\')))') AS places
    FROM occurrences AS c FINAL
    WHERE NOT c.is_retracted
    GROUP BY c.finding_id
) AS o ON o.finding_id = f.id;
