-- The spans of one trace in the order of time, without maps, events and long texts; what only says that a span began is left out.
SELECT {trace:String} AS trace_id, lower(hex(s.span_id)) AS span_id,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_span_id,
    substring(s.name, 1, 300) AS name, s.kind AS kind, s.start_time AS start_time, s.end_time AS end_time,
    s.status_code AS status_code, substring(s.status_message, 1, 200) AS status_message,
    substring(if(f.error_type != '', f.error_type, s.error_type), 1, 200) AS error_type,
    substring(s.service_name, 1, 200) AS service_name, s.dialect AS dialect, s.operation AS operation,
    substring(s.tool_name, 1, 200) AS tool_name, substring(s.model, 1, 200) AS model, s.side_effect AS side_effect,
    substring(s.target, 1, 200) AS target, f.role AS role, f.run_span_id AS run_span_id,
    f.parent_run_span_id AS parent_run_span_id, f.actor_id AS actor_id,
    substring(if(f.actor_name != '', f.actor_name, s.agent_name), 1, 200) AS actor_name, f.task_kind AS task_kind,
    f.is_counted AS is_counted, s.input_tokens AS input_tokens, s.output_tokens AS output_tokens, f.cost_usd AS cost_usd,
    f.run_cost_usd AS run_cost_usd, s.principal_id AS principal_id, s.credential_id AS credential_id, s.approval_id AS approval_id,
    arrayMap(x -> substring(x, 1, 200), arraySlice(arrayDistinct(arrayConcat(s.scope_used, s.scope_requested)), 1, 10)) AS scopes,
    length(s.link_span_ids) AS links
FROM
(
    SELECT * FROM span_rows
    WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND state != 'started'
    LIMIT 1 BY span_id
) AS s
LEFT JOIN
(
    SELECT * FROM span_facts FINAL WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))
) AS f ON f.trace_id = s.trace_id AND f.span_id = s.span_id
ORDER BY start_time, span_id
LIMIT {limit:UInt64}
