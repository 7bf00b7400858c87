-- What was done under an identity since a moment, by tool and target.
WITH held AS
(
    SELECT trace_id, span_id FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND {id:String} != ''
        AND (principal_id = {id:String} OR credential_id = {id:String} OR delegation_id = {id:String})
)
SELECT tool_name, side_effect, if(notEmpty(targets), arrayJoin(targets), '') AS target, count() AS uses, uniqExact(trace_id) AS traces,
    min(start_time) AS first_seen, max(start_time) AS last_seen, argMax(lower(hex(trace_id)), start_time) AS trace_id,
    argMax(lower(hex(span_id)), start_time) AS span_id
FROM span_facts FINAL
WHERE start_time >= {from:DateTime64(9, 'UTC')} AND role = 'action' AND tool_name != ''
    AND (actor_id = {id:String} OR (trace_id, span_id) IN held)
GROUP BY tool_name, side_effect, target
ORDER BY side_effect IN ('write', 'destructive') DESC, uses DESC, tool_name, target
LIMIT 1000
