-- Runs of an actor since a moment by what started them and what they were for.
SELECT trigger, task_kind, caller_name, count() AS runs, countIf(is_error) AS errors, sum(run_cost_usd) AS cost_usd,
    median(run_cost_usd) AS median_usd, max(start_time) AS last_seen
FROM span_facts FINAL
WHERE actor_id = {actor:String} AND role = 'run' AND start_time >= {from:DateTime64(9, 'UTC')}
GROUP BY trigger, task_kind, caller_name
ORDER BY runs DESC, trigger, task_kind, caller_name
LIMIT 200
