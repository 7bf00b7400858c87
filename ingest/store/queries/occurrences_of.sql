SELECT finding_id, trace_id, span_id, at, severity
FROM occurrences FINAL
WHERE finding_id IN {ids:Array(String)} AND NOT is_retracted
ORDER BY at DESC, trace_id, span_id
LIMIT {offset:UInt64}, {limit:UInt64} BY finding_id
