-- What log records say of the spans of some traces.
SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, time,
    * EXCEPT (ingester, seq, received_at, time, observed_time, trace_id, span_id, event_name, severity, body, service_name,
              scope_name, attributes, resource_attributes, dialect, result)
FROM log_rows AS l
WHERE l.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) AND l.dialect != ''
    AND l.event_name NOT IN ('actorscope.span.start', 'actorscope.span.heartbeat')
    AND time >= {from:DateTime64(9, 'UTC')} AND time <= {to:DateTime64(9, 'UTC')}
