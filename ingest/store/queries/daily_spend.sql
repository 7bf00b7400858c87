SELECT actor_id, toDate(start_time) AS day, sum(run_cost_usd) AS spent_usd,
    sumIf(run_cost_usd, start_time > last_at - INTERVAL 15 MINUTE) AS recent_usd, count() AS runs
FROM
(
    SELECT *, max(start_time) OVER (PARTITION BY actor_id, toDate(start_time)) AS last_at
    FROM runs FINAL
    WHERE actor_id IN {actors:Array(String)} AND toDate(start_time) IN {days:Array(Date)} AND run_cost_usd > 0 AND NOT is_void
)
GROUP BY actor_id, day
