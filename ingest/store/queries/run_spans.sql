-- The spans of one trace in the order of time, without texts and maps.
SELECT lower(hex(s.span_id)) AS span_id, if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_span_id,
    substring(s.name, 1, 300) AS name, s.kind AS kind, s.start_time AS start_time, s.end_time AS end_time,
    s.status_code AS status_code, s.error_type AS error_type, s.service_name AS service_name, s.dialect AS dialect,
    s.operation AS operation, s.tool_name AS tool_name, s.model AS model, s.side_effect AS side_effect,
    f.role AS role, f.run_span_id AS run_span_id, f.actor_id AS actor_id,
    if(f.actor_name != '', f.actor_name, s.agent_name) AS actor_name, f.is_counted AS is_counted,
    s.input_tokens AS input_tokens, s.output_tokens AS output_tokens, f.cost_usd AS cost_usd,
    s.principal_id AS principal_id, s.credential_id AS credential_id, s.approval_id AS approval_id
FROM (SELECT * FROM span_rows WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) LIMIT 1 BY span_id) AS s
LEFT JOIN
(
    SELECT * FROM span_facts FINAL WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))
) AS f ON f.trace_id = s.trace_id AND f.span_id = s.span_id
ORDER BY start_time, span_id
LIMIT {limit:UInt64}
