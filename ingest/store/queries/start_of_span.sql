SELECT lower(hex(s.span_id)) AS span_id, s.start_time AS start_time FROM span_rows AS s
WHERE s.trace_id = toFixedString(unhex({trace:String}), 16) AND s.span_id = toFixedString(unhex({span:String}), 8)
LIMIT 1
