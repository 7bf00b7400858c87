-- Spans of some traces that were announced and have not ended, with what each waits for.
SELECT
    lower(hex(l.trace_id)) AS trace_id, lower(hex(l.span_id)) AS span_id,
    max(attributes['actorscope.span.parent.id']) AS parent_span_id,
    max(operation) AS operation, max(agent_name) AS agent_name, max(agent_id) AS agent_id, max(principal_id) AS principal_id,
    max(agent_instance_id) AS agent_instance_id, max(l.delegation_id) AS delegation_id, max(delegation_mode) AS delegation_mode,
    max(service_name) AS service_name, max(attributes['actorscope.span.name']) AS name,
    groupUniqArrayIf((wait_target_type, wait_target_id), wait_target_type != '' AND event_name != 'actorscope.wait.end') AS waited,
    groupUniqArrayIf((wait_target_type, wait_target_id), event_name = 'actorscope.wait.end') AS got,
    arrayFilter(x -> NOT has(got, x), waited) AS targets,
    min(l.time) AS began, max(received_at) AS known_at
FROM log_rows AS l
WHERE l.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND l.event_name IN ('actorscope.span.start', 'actorscope.wait.start', 'actorscope.wait.end')
    AND l.time >= {from:DateTime64(9, 'UTC')} AND l.time <= {to:DateTime64(9, 'UTC')}
    AND (l.trace_id, l.span_id) NOT IN (
        SELECT s.trace_id, s.span_id FROM span_rows AS s
        WHERE s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
            AND s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')} AND s.state != 'started')
GROUP BY trace_id, span_id
LIMIT 50000
