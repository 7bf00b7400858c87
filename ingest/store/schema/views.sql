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
    s.tenant AS tenant,
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
    f.actor_kind AS actor_kind,
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
    s.tenant AS tenant,
    s.dialect AS dialect,
    s.start_time AS start_time,
    s.end_time AS end_time,
    s.status_code AS status_code,
    multiIf(NOT f.is_error, '', f.error_type != '', f.error_type, 'error') AS error_type,
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
    f.actor_kind AS actor_kind,
    s.tool_name AS tool_name,
    s.tool_call_id AS tool_call_id,
    if(f.asked_arguments != '', f.asked_arguments, s.arguments) AS arguments,
    multiIf(f.asked_arguments != '', 'derived', s.arguments != '', toString(s.operation_basis), '') AS arguments_basis,
    s.result AS result,
    f.input_digest AS input_digest,
    s.side_effect AS side_effect,
    s.side_effect_basis AS side_effect_basis,
    s.target AS target,
    s.scope_used AS scope_used,
    f.approval_id AS approval_id,
    f.authz_outcome AS authz_outcome,
    s.tenant AS tenant,
    s.status_code AS status_code,
    multiIf(NOT f.is_error, '', f.error_type != '', f.error_type, 'error') AS error_type,
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
    f.actor_kind AS actor_kind,
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
    s.tenant AS tenant,
    s.status_code AS status_code,
    s.error_type AS error_type,
    s.start_time AS start_time,
    s.end_time AS end_time
FROM span_rows AS s FINAL
INNER JOIN span_facts AS f FINAL ON f.trace_id = s.trace_id AND f.span_id = s.span_id
WHERE f.role = 'model_call' AND f.is_counted;

CREATE OR REPLACE VIEW actors AS
SELECT
    f.actor_id AS actor_id,
    anyLast(f.actor_name) AS actor_name,
    anyLast(f.actor_kind) AS kind,
    argMin(f.actor_basis, indexOf(['declared', 'derived', 'inferred'], toString(f.actor_basis))) AS basis,
    groupUniqArray(20)(f.task_kind) AS task_kinds,
    countIf(f.role = 'run') AS runs,
    min(f.start_time) AS first_seen_at,
    max(f.start_time) AS last_seen_at
FROM span_facts AS f FINAL
WHERE f.actor_id != ''
GROUP BY f.actor_id
UNION ALL
SELECT f.user_id, f.user_id, 'human', 'declared', groupUniqArray(20)(f.task_kind), 0, min(f.start_time), max(f.start_time)
FROM span_facts AS f FINAL
WHERE f.user_id != ''
GROUP BY f.user_id
UNION ALL
SELECT concat('mcp:', s.service_name), s.service_name, 'mcp_server', 'derived', [], 0, min(s.start_time), max(s.start_time)
FROM span_rows AS s
WHERE s.kind = 'server' AND s.operation = 'execute_tool' AND s.service_name != ''
GROUP BY s.service_name
UNION ALL
SELECT concat('tool:', s.tool_name), s.tool_name, 'tool', 'derived', [], 0, min(s.start_time), max(s.start_time)
FROM span_rows AS s
WHERE s.operation = 'execute_tool' AND s.tool_name != ''
GROUP BY s.tool_name;

CREATE OR REPLACE VIEW approvals AS
SELECT
    e.approval AS approval_id,
    argMinIf(e.trace, e.at, e.trace != '') AS trace_id,
    argMaxIf(e.span, e.at, e.is_action) AS action_span_id,
    if(countIf(e.state = 'pending') > 0, minIf(e.at, e.state = 'pending'), min(e.at)) AS requested_at,
    maxIf(e.at, e.state NOT IN ('', 'pending')) AS resolved_at,
    if(countIf(e.state NOT IN ('', 'pending')) = 0, 'pending', argMaxIf(e.state, e.at, e.state NOT IN ('', 'pending'))) AS status,
    argMaxIf(e.by_type, e.at, e.by_type != '') AS approver_type,
    argMaxIf(e.by_id, e.at, e.by_id != '') AS approver_id,
    argMaxIf(e.digest, e.at, e.digest != '') AS action_digest,
    if(countIf(e.by = 'declared') > 0, 'declared', 'inferred') AS basis
FROM
(
    SELECT f.approval_id AS approval, lower(hex(f.trace_id)) AS trace, lower(hex(f.span_id)) AS span,
        f.role = 'action' AS is_action, f.start_time AS at, toString(f.approval_status) AS state,
        toString(f.approver_type) AS by_type, f.approver_id AS by_id, '' AS digest, toString(f.approval_basis) AS by
    FROM span_facts AS f FINAL
    WHERE f.approval_id != ''
    UNION ALL
    SELECT l.approval_id, lower(hex(l.trace_id)), lower(hex(l.span_id)), false, l.time,
        multiIf(l.approval_status != '', toString(l.approval_status), l.event_name = 'actorscope.approval.request', 'pending', ''),
        toString(l.approver_type), l.approver_id, l.attributes['actorscope.approval.action.digest'],
        'declared'
    FROM log_rows AS l FINAL
    WHERE l.approval_id != '' AND l.event_name NOT IN ('actorscope.span.start', 'actorscope.span.heartbeat')
) AS e
GROUP BY e.approval;

CREATE OR REPLACE VIEW open_spans AS
SELECT
    e.trace AS trace_id,
    e.span AS span_id,
    argMaxIf(e.parent, e.at, e.is_start) AS parent_span_id,
    argMaxIf(e.span_name, e.at, e.is_start) AS name,
    argMaxIf(e.agent, e.at, e.is_start) AS actor_name,
    any(e.service) AS service_name,
    minIf(e.at, e.is_start) AS started_at,
    max(e.at) AS last_heartbeat_at
FROM
(
    SELECT lower(hex(l.trace_id)) AS trace, lower(hex(l.span_id)) AS span, l.attributes['actorscope.span.parent.id'] AS parent,
        l.attributes['actorscope.span.name'] AS span_name, toString(l.agent_name) AS agent, toString(l.service_name) AS service,
        l.time AS at, l.event_name = 'actorscope.span.start' AS is_start
    FROM log_rows AS l FINAL
    LEFT ANTI JOIN
    (
        SELECT trace_id, span_id FROM span_rows
        WHERE trace_id IN (SELECT trace_id FROM log_rows WHERE event_name IN ('actorscope.span.start', 'actorscope.span.heartbeat'))
    ) AS s ON s.trace_id = l.trace_id AND s.span_id = l.span_id
    WHERE l.event_name IN ('actorscope.span.start', 'actorscope.span.heartbeat')
    UNION ALL
    SELECT lower(hex(p.trace_id)), lower(hex(p.parent_span_id)), p.attributes['logfire.pending_parent_id'], toString(p.name),
        toString(p.agent_name), toString(p.service_name), p.start_time, true
    FROM span_rows AS p FINAL
    LEFT ANTI JOIN
    (
        SELECT trace_id, span_id FROM span_rows WHERE trace_id IN (SELECT trace_id FROM span_rows WHERE state = 'started')
    ) AS s ON s.trace_id = p.trace_id AND s.span_id = p.parent_span_id
    WHERE p.state = 'started'
) AS e
GROUP BY e.trace, e.span;

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

CREATE OR REPLACE VIEW costs AS
SELECT
    lower(hex(c.trace_id)) AS trace_id,
    lower(hex(c.span_id)) AS span_id,
    c.run_span_id AS run_span_id,
    c.role AS role,
    c.actor_id AS actor_id,
    c.actor_name AS actor_name,
    c.starter_id AS starter_id,
    c.starter_name AS starter_name,
    c.starter_type AS starter_type,
    c.chain AS chain,
    c.root_trace_id AS root_trace_id,
    c.root_span_id AS root_span_id,
    c.task_kind AS task_kind,
    c.tenant AS tenant,
    c.phase AS phase,
    c.model AS model,
    c.spend AS spend,
    c.cost_usd AS cost_usd,
    if(c.cost_source = 'stated', 'declared', 'derived') AS cost_basis,
    c.start_time AS start_time
FROM spends AS c FINAL
WHERE NOT c.is_void;
