-- When these grants and credentials were first taken back.
SELECT id, min(revoked_at) AS revoked_at, lower(hex(argMin(r.trace_id, r.revoked_at))) AS trace_id,
    lower(hex(argMin(r.span_id, r.revoked_at))) AS span_id, argMin(toString(r.reason), r.revoked_at) AS reason
FROM revocations AS r
WHERE id IN {ids:Array(String)}
GROUP BY id
