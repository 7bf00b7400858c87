-- What some starters spent, by the agents that their work went through.
SELECT starter_id, chain, argMax(s.actor_id, s.start_time) AS actor_id, sum(cost_usd) AS total_usd,
    sumIf(cost_usd, spend = 'reasoning') AS reasoning_usd, sumIf(cost_usd, spend = 'execution') AS execution_usd,
    sumIf(cost_usd, spend = 'retry waste') AS retry_waste_usd, sumIf(cost_usd, spend = 'loop waste') AS loop_waste_usd, count() AS spans
FROM spends AS s FINAL
WHERE toStartOfMinute(start_time) >= toStartOfMinute({from:DateTime64(9, 'UTC')}) AND start_time >= {from:DateTime64(9, 'UTC')}
    AND NOT is_void AND starter_id IN {starters:Array(String)}
GROUP BY starter_id, chain
ORDER BY total_usd DESC, starter_id, chain
LIMIT {limit:UInt64}
