-- coverage_logs
-- Some log records of traces as they came, a few of each kind.
SELECT lower(hex(l.trace_id)) AS trace, lower(hex(l.span_id)) AS span, toString(l.event_name) AS event_name, l.body AS body,
    toString(l.service_name) AS service_name, toString(l.scope_name) AS scope_name, l.attributes AS attributes
FROM log_rows AS l
WHERE l.dialect != '' AND l.event_name NOT IN ('actorscope.span.start', 'actorscope.span.heartbeat')
    AND l.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND l.time >= {from:DateTime64(9, 'UTC')} AND l.time <= {to:DateTime64(9, 'UTC')}
ORDER BY l.time DESC, l.trace_id, l.span_id
LIMIT 20 BY l.service_name, l.event_name, l.scope_name
LIMIT 1000
