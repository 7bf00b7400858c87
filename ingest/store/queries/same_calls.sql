SELECT DISTINCT lower(hex(s.trace_id)) AS trace_id
FROM span_rows AS s
WHERE s.service_name IN {services:Array(String)} AND s.response_id IN {responses:Array(String)}
    AND s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
LIMIT 20000
