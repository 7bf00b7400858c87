-- Traces that used one of these grants or credentials; revocations are rare, so that this may read the days concerned.
SELECT lower(hex(s.trace_id)) AS trace_id, min(s.start_time) AS start_time
FROM span_rows AS s
WHERE (s.credential_id IN {ids:Array(String)} OR s.delegation_id IN {ids:Array(String)})
    AND s.start_time > {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
GROUP BY s.trace_id
LIMIT 10000
