-- What is known of these ids in these traces.
SELECT toString(kind) AS kind, id, actor_id, toString(actor_name) AS actor_name, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, start_time
FROM custody AS c FINAL
WHERE id IN {ids:Array(String)} AND c.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND NOT is_void
