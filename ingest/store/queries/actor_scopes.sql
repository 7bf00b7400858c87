-- What an actor used since a moment: scopes and tools, with when each was seen first and last, how often, and with what effect.
SELECT what.1 AS kind, what.2 AS name, groupUniqArray(4)(toString(side_effect)) AS effects, min(start_time) AS first_seen,
    max(start_time) AS last_seen, count() AS uses, countIf(is_error) AS errors
FROM
(
    SELECT start_time, side_effect, is_error, arrayJoin(arrayConcat(
        if(tool_name = '', [], [('tool', toString(tool_name))]), arrayMap(x -> ('scope', toString(x)), scope_used))) AS what
    FROM span_facts FINAL
    WHERE actor_id = {actor:String} AND role = 'action' AND start_time >= {from:DateTime64(9, 'UTC')}
)
GROUP BY kind, name
ORDER BY kind, first_seen, name
LIMIT 500
