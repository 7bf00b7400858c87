-- What actors hold: granted lately, or by a grant that has not ended. A time of 1970 says that there was none.
SELECT actor_id, max(actor_name) AS actor_name, scope, min(first_at) AS first_at, max(h.granted_at) AS granted_at, max(h.ends_at) AS ends_at,
    max(used_at) AS used_at, splitByChar(' ', max(granted_in))[2] AS trace_id, splitByChar(' ', max(granted_in))[3] AS span_id
FROM holdings AS h
GROUP BY actor_id, scope
HAVING granted_at >= {from:DateTime64(9, 'UTC')} OR ends_at > {now:DateTime64(9, 'UTC')}
ORDER BY actor_id, scope
LIMIT {most:UInt64}
