-- Actors with what they did from a moment of event time on.
SELECT f.actor_id AS actor_id, argMax(f.actor_name, f.start_time) AS actor_name, countIf(f.role = 'run') AS runs,
    countIf(f.role = 'model_call' AND f.is_counted) AS model_calls, countIf(f.role = 'action') AS actions,
    sumIf(s.input_tokens, f.is_counted) AS input_tokens, sumIf(s.output_tokens, f.is_counted) AS output_tokens,
    sum(f.cost_usd) AS cost_usd, countIf(f.is_error) AS errors,
    groupUniqArrayIf(20)(toString(s.principal_id), s.principal_id != '') AS principals,
    groupUniqArrayIf(20)(s.credential_id, s.credential_id != '') AS credentials,
    groupUniqArrayIf(20)(toString(s.dialect), s.dialect != '') AS dialects,
    groupUniqArray(20)(toString(s.service_name)) AS services,
    min(f.start_time) AS first_seen, max(f.start_time) AS last_seen
FROM (SELECT * FROM span_facts FINAL WHERE actor_id != '' AND role != '' AND start_time >= {from:DateTime64(9, 'UTC')}) AS f
LEFT ANY JOIN
(
    SELECT trace_id, span_id, input_tokens, output_tokens, principal_id, credential_id, dialect, service_name
    FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')}
) AS s ON s.trace_id = f.trace_id AND s.span_id = f.span_id
GROUP BY actor_id
ORDER BY last_seen DESC, actor_id
LIMIT {limit:UInt64}
