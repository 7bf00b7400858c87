-- Model calls at the top of their traces: another instrumentation may report the same call in another trace.
SELECT DISTINCT lower(hex(s.trace_id)) AS trace_id, s.service_name AS service_name, s.response_id AS response_id, s.input_tokens AS input_tokens
FROM span_rows AS s
WHERE s.service_name IN {services:Array(String)} AND s.operation IN ('chat', 'embeddings') AND s.parent_span_id = toFixedString('', 8)
    AND s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
LIMIT 20000
