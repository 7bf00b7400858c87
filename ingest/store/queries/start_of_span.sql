SELECT lower(hex(span_id)) AS span_id, start_time FROM span_rows
WHERE trace_id = toFixedString(unhex({trace:String}), 16) AND span_id = toFixedString(unhex({span:String}), 8)
LIMIT 1
