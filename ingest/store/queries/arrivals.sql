SELECT seq, lower(hex(trace_id)) AS trace_id, start_time, received_at, is_log
FROM arrivals
WHERE ingester = {ingester:String} AND seq > {after:UInt64}
    -- Rows of docs/examples/otel_tables.sql come by inserts side by side and have the time as number: those that are settled are read.
    AND (ingester NOT IN ('otel_traces', 'otel_logs') OR seq < dateTime64ToSnowflakeID(now64(3) - INTERVAL 15 SECOND))
ORDER BY seq
LIMIT {most:UInt64}
