-- Who used these ids: the earliest few uses of every actor on each day.
SELECT toString(kind) AS kind, id, actor_id, toString(actor_name) AS actor_name, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, start_time
FROM custody FINAL
WHERE id IN {ids:Array(String)} AND NOT is_void
    AND (kind = 'approval' OR start_time BETWEEN {from:DateTime64(9, 'UTC')} AND {to:DateTime64(9, 'UTC')})
ORDER BY start_time, trace_id, span_id
LIMIT 4 BY kind, id, actor_id, toDate(start_time)
