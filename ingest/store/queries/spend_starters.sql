-- Who started work, with what it cost from a moment of event time on; one starter, or all.
SELECT starter_id, argMax(s.starter_name, s.start_time) AS starter_name, argMax(s.starter_type, s.start_time) AS starter_type,
    sum(cost_usd) AS total_usd, sumIf(cost_usd, spend = 'reasoning') AS reasoning_usd, sumIf(cost_usd, spend = 'execution') AS execution_usd,
    sumIf(cost_usd, spend = 'retry waste') AS retry_waste_usd, sumIf(cost_usd, spend = 'loop waste') AS loop_waste_usd,
    count() AS spans, uniqExact(root_trace_id, root_span_id) AS runs, max(start_time) AS last_at
FROM spends AS s FINAL
WHERE toStartOfMinute(start_time) >= toStartOfMinute({from:DateTime64(9, 'UTC')}) AND start_time >= {from:DateTime64(9, 'UTC')}
    AND NOT is_void AND ({starter:String} = '' OR s.starter_id = {starter:String} OR s.starter_name = {starter:String})
GROUP BY starter_id
ORDER BY total_usd DESC, starter_id
LIMIT {limit:UInt64}
