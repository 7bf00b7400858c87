-- How each target fares: what waits, since when, what was given up lately, when it last took something.
SELECT subscriber, countIf(state = 'pending') AS pending, countIf(state = 'dead') AS dead,
       countIf(state = 'dead' AND updated_at >= {from:DateTime64(9, 'UTC')}) AS dead_lately,
       minIf(created_at, state = 'pending' AND attempts > 0) AS failing_since, maxIf(updated_at, state = 'delivered') AS delivered_at,
       argMaxIf(o.last_error, o.updated_at, o.last_error != '') AS last_error, max(updated_at) AS changed_at
FROM (SELECT subscriber, id, created_at, state, attempts, updated_at, last_error FROM outbox FINAL) AS o
GROUP BY subscriber
ORDER BY subscriber
