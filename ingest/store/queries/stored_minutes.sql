SELECT toDateTime64(toStartOfMinute(stored_at), 3, 'UTC') AS minute, sum(spans) AS spans, sum(logs) AS logs, count() AS segments,
    quantile(0.5)(greatest(0, toFloat64(stored_at) - toFloat64(first_received_at))) AS median_seconds,
    max(greatest(0, toFloat64(stored_at) - toFloat64(first_received_at))) AS worst_seconds
FROM segments FINAL
WHERE stored_at >= {from:DateTime64(9, 'UTC')}
GROUP BY minute
ORDER BY minute
SETTINGS do_not_merge_across_partitions_select_final = 0 -- a segment that was stored twice may have two days
