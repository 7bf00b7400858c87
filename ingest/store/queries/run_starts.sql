-- Spans of one trace that were said to have begun, with the last sign of life; some have ended since.
SELECT e.span AS span_id, argMaxIf(e.parent, e.at, e.is_start) AS parent_span_id,
    substring(argMaxIf(e.span_name, e.at, e.is_start), 1, 300) AS name, substring(argMaxIf(e.agent, e.at, e.is_start), 1, 200) AS actor_name,
    substring(any(e.service), 1, 200) AS service_name, minIf(e.at, e.is_start) AS start_time, max(e.at) AS heard_at
FROM
(
    SELECT lower(hex(l.span_id)) AS span, l.attributes['actorscope.span.parent.id'] AS parent,
        l.attributes['actorscope.span.name'] AS span_name, toString(l.agent_name) AS agent, toString(l.service_name) AS service,
        l.time AS at, l.event_name = 'actorscope.span.start' AS is_start
    FROM log_rows AS l
    WHERE l.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))
        AND l.event_name IN ('actorscope.span.start', 'actorscope.span.heartbeat')
    UNION ALL
    SELECT lower(hex(p.parent_span_id)), p.attributes['logfire.pending_parent_id'], toString(p.name), toString(p.agent_name),
        toString(p.service_name), p.start_time, true
    FROM span_rows AS p
    WHERE p.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND p.state = 'started'
) AS e
GROUP BY e.span
HAVING countIf(e.is_start) > 0
ORDER BY start_time, span_id
LIMIT {limit:UInt64}
