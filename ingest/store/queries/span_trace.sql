SELECT lower(hex(s.trace_id)) AS trace_id FROM span_rows AS s WHERE s.span_id = toFixedString(unhex({span:String}), 8) LIMIT 1
