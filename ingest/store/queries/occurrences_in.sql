SELECT finding_id, trace_id, span_id, severity
FROM occurrences FINAL
WHERE trace_id IN {traces:Array(String)} AND NOT is_retracted
