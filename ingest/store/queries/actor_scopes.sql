-- What an actor used since a moment: scopes and tools, with when each was seen first and last, how often, and with what effect.
WITH mine AS
(
    SELECT trace_id, span_id, tool_name, side_effect, start_time, is_error FROM span_facts FINAL
    WHERE actor_id = {actor:String} AND role = 'action' AND start_time >= {from:DateTime64(9, 'UTC')}
)
SELECT what.1 AS kind, what.2 AS name, groupUniqArray(4)(toString(side_effect)) AS effects, min(start_time) AS first_seen,
    max(start_time) AS last_seen, count() AS uses, countIf(is_error) AS errors
FROM
(
    SELECT m.start_time AS start_time, m.side_effect AS side_effect, m.is_error AS is_error, arrayJoin(arrayConcat(
        if(m.tool_name = '', [], [('tool', toString(m.tool_name))]), arrayMap(x -> ('scope', toString(x)), s.scope_used))) AS what
    FROM mine AS m
    LEFT ANY JOIN
    (
        SELECT trace_id, span_id, scope_used FROM span_rows
        WHERE start_time >= {from:DateTime64(9, 'UTC')} AND notEmpty(scope_used) AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM mine)
    ) AS s ON s.trace_id = m.trace_id AND s.span_id = m.span_id
)
GROUP BY kind, name
ORDER BY kind, first_seen, name
LIMIT 500
