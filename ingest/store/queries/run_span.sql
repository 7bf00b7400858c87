-- One span with everything that is known of it.
SELECT lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_span_id,
    s.name AS name, s.kind AS kind, s.start_time AS start_time, s.end_time AS end_time, s.received_at AS received_at,
    s.status_code AS status_code, s.status_message AS status_message, s.service_name AS service_name,
    s.scope_name AS scope_name, s.scope_version AS scope_version, s.dialect AS dialect, s.attributes AS attributes,
    s.resource_attributes AS resource_attributes, s.event_times AS event_times, s.event_names AS event_names,
    s.event_attributes AS event_attributes, arrayMap(x -> lower(hex(x)), s.link_trace_ids) AS link_trace_ids,
    arrayMap(x -> lower(hex(x)), s.link_span_ids) AS link_span_ids, s.link_attributes AS link_attributes,
    s.operation AS operation, s.operation_basis AS operation_basis, s.tool_name AS tool_name, s.target AS target,
    s.side_effect AS side_effect, s.side_effect_basis AS side_effect_basis, s.provider AS provider, s.model AS model,
    s.input_tokens AS input_tokens, s.output_tokens AS output_tokens, s.cached_tokens AS cached_tokens,
    s.reasoning_tokens AS reasoning_tokens, s.principal_id AS principal_id, s.principal_type AS principal_type,
    s.credential_id AS credential_id, s.credential_type AS credential_type, s.scope_granted AS scope_granted,
    s.scope_used AS scope_used, s.scope_requested AS scope_requested, s.approval_id AS approval_id,
    s.approval_status AS approval_status, s.approver_id AS approver_id, s.delegation_mode AS delegation_mode,
    s.error_type AS error_type, f.role AS role, f.actor_id AS actor_id, f.actor_name AS actor_name,
    f.actor_basis AS actor_basis, f.caller_id AS caller_id, f.caller_name AS caller_name, f.task_kind AS task_kind,
    f.trigger AS trigger, f.conversation_id AS conversation_id, f.cause_id AS cause_id, f.cause_basis AS cause_basis,
    f.cost_usd AS cost_usd, f.cost_source AS cost_source, f.attempt AS attempt, f.run_span_id AS run_span_id,
    f.parent_run_span_id AS parent_run_span_id, f.run_cost_usd AS run_cost_usd, f.run_tokens AS run_tokens,
    f.run_calls AS run_calls
FROM
(
    SELECT * FROM span_rows
    WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND span_id = toFixedString(unhex({span:String}), 8)
    LIMIT 1
) AS s
LEFT JOIN
(
    SELECT * FROM span_facts FINAL
    WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND span_id = toFixedString(unhex({span:String}), 8)
) AS f ON f.trace_id = s.trace_id AND f.span_id = s.span_id
