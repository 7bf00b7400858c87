SELECT signature, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, start_time, cause_id, conversation_id, user_id, cause_request,
    idempotency_digest
FROM
(
    SELECT * FROM effects
    PREWHERE hash IN (SELECT cityHash64(arrayJoin({signatures:Array(String)})))
    ORDER BY version DESC
    LIMIT 1 BY signature, start_time, trace_id, span_id
)
WHERE NOT is_void
ORDER BY start_time
LIMIT 200 BY signature
