SELECT signature, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, start_time, cause_id, conversation_id, user_id, cause_request,
    idempotency_digest
FROM effects FINAL
WHERE signature IN {signatures:Array(String)} AND NOT is_void
ORDER BY start_time
LIMIT 200 BY signature
