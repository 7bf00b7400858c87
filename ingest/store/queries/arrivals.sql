SELECT seq, lower(hex(trace_id)) AS trace_id, start_time, received_at, is_log
FROM arrivals
WHERE ingester = {ingester:String} AND seq > {after:UInt64}
ORDER BY seq
LIMIT {most:UInt64}
