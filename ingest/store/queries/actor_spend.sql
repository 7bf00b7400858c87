-- What an actor spent itself since a moment, by day and phase.
SELECT toDate(start_time) AS day, if(phase = '', 'other', phase) AS phase, sum(cost_usd) AS cost_usd, count() AS spans
FROM spends FINAL
WHERE toStartOfMinute(start_time) >= toStartOfMinute({from:DateTime64(9, 'UTC')}) AND actor_id = {actor:String} AND NOT is_void
GROUP BY day, phase
ORDER BY day, phase
LIMIT 2000
