SELECT DISTINCT lower(hex(s.trace_id)) AS trace_id
FROM span_rows AS s
WHERE s.service_name IN {services:Array(String)} AND s.operation = 'execute_tool' AND s.result != ''
    AND (s.tool_call_id IN {calls:Array(String)} OR s.input_digest IN {calls:Array(String)})
    AND s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
LIMIT 2000
