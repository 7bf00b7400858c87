-- What was done under an identity since a moment, by tool and target.
WITH held AS
(
    SELECT trace_id, span_id FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND {id:String} != '' AND delegation_id = {id:String}
)
SELECT f.tool_name AS tool_name, f.side_effect AS side_effect,
    arrayJoin(if(notEmpty(f.targets), f.targets, [lower(s.target)])) AS target, count() AS uses, uniqExact(f.trace_id) AS traces,
    min(f.start_time) AS first_seen, max(f.start_time) AS last_seen, argMax(lower(hex(f.trace_id)), f.start_time) AS last_trace_id,
    argMax(lower(hex(f.span_id)), f.start_time) AS last_span_id
FROM
(
    SELECT trace_id, span_id, start_time, tool_name, side_effect, targets FROM span_facts FINAL
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND role = 'action' AND tool_name != ''
        AND (actor_id = {id:String} OR principal_id = {id:String} OR credential_id = {id:String} OR (trace_id, span_id) IN held)
) AS f
LEFT ANY JOIN
(
    SELECT trace_id, span_id, target FROM span_rows WHERE start_time >= {from:DateTime64(9, 'UTC')} AND target != ''
) AS s ON s.trace_id = f.trace_id AND s.span_id = f.span_id
GROUP BY tool_name, side_effect, target
ORDER BY side_effect IN ('write', 'destructive') DESC, uses DESC, tool_name, target
LIMIT 1000
