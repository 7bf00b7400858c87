-- Waits that are not known to be over, the latest ones.
SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, min(w.time) AS began, min(w.received_at) AS known_at
FROM waits AS w
WHERE w.received_at >= {from:DateTime64(9, 'UTC')}
GROUP BY trace_id, span_id
HAVING NOT max(is_over)
ORDER BY known_at DESC, trace_id, span_id
LIMIT {most:UInt64}
