-- Services that sent spans in the last day, by when they arrived; a replay of old recordings is no sign of life.
SELECT service_name, groupUniqArray(toDateTime64(toStartOfInterval(received_at, INTERVAL 5 MINUTE), 3, 'UTC')) AS slots, max(received_at) AS last_at,
    count() AS spans, countIf(received_at >= {hour:DateTime64(9, 'UTC')}) AS spans_last_hour, lower(hex(argMax(trace_id, received_at))) AS trace_id,
    groupUniqArray(20)(toString(tenant)) AS tenants
FROM span_rows
WHERE received_at >= {from:DateTime64(9, 'UTC')} AND start_time >= {from:DateTime64(9, 'UTC')} - INTERVAL 1 DAY AND service_name != ''
GROUP BY service_name
ORDER BY spans DESC
LIMIT 1000
