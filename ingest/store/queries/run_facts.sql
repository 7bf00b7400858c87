SELECT countIf(f.role = 'run') AS runs, countIf(f.role = 'model_call' AND f.is_counted) AS model_calls,
    countIf(f.role = 'action') AS actions, sum(f.cost_usd) AS cost_usd,
    sumIf(s.input_tokens, f.is_counted) AS input_tokens, sumIf(s.output_tokens, f.is_counted) AS output_tokens,
    groupUniqArrayIf(50)(toString(f.actor_name), f.actor_name != '') AS actors,
    countIf(f.is_counted AND f.role = 'model_call' AND f.cost_usd IS NULL) AS unpriced_calls
FROM (SELECT * FROM span_facts FINAL WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))) AS f
LEFT JOIN
(
    SELECT trace_id, span_id, input_tokens, output_tokens
    FROM span_rows
    WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))
    LIMIT 1 BY span_id
) AS s ON s.trace_id = f.trace_id AND s.span_id = f.span_id
