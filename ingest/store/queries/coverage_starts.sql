-- coverage_starts
-- Spans of some traces of which a start was told: by an event, or by a notice that is a span itself.
SELECT DISTINCT lower(hex(l.trace_id)) AS trace_id, lower(hex(l.span_id)) AS span_id
FROM log_rows AS l
WHERE l.event_name = 'actorscope.span.start'
    AND l.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND l.time >= {from:DateTime64(9, 'UTC')} AND l.time <= {to:DateTime64(9, 'UTC')}
UNION ALL
SELECT DISTINCT lower(hex(s.trace_id)) AS trace_id, lower(hex(s.parent_span_id)) AS span_id
FROM span_rows AS s
WHERE s.state = 'started'
    AND s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
