-- Actors with what they did from a moment of event time on.
SELECT f.actor_id AS actor_id, argMax(f.actor_name, f.start_time) AS actor_name, countIf(f.role = 'run') AS runs,
    countIf(f.role = 'model_call' AND f.is_counted) AS model_calls, countIf(f.role = 'action') AS actions,
    sumIf(f.input_tokens, f.is_counted) AS input_tokens, sumIf(f.output_tokens, f.is_counted) AS output_tokens,
    sum(f.cost_usd) AS cost_usd, countIf(f.is_error) AS errors,
    groupUniqArrayIf(20)(toString(f.principal_id), f.principal_id != '') AS principals,
    groupUniqArrayIf(20)(f.credential_id, f.credential_id != '') AS credentials,
    groupUniqArrayIf(20)(toString(f.dialect), f.dialect != '') AS dialects,
    groupUniqArray(20)(toString(f.service_name)) AS services,
    min(f.start_time) AS first_seen, max(f.start_time) AS last_seen
FROM span_facts AS f FINAL
WHERE f.actor_id != '' AND f.role != '' AND f.start_time >= {from:DateTime64(9, 'UTC')}
GROUP BY f.actor_id
ORDER BY last_seen DESC, actor_id
LIMIT {limit:UInt64}
