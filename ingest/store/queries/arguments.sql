-- Arguments of actions that may act on somebody or something: of writes, and of whatever takes a link; of every action where
-- grants name resources.
SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, arguments
FROM
(
    SELECT trace_id, span_id, side_effect, arguments FROM span_rows
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')} AND arguments != ''
    UNION ALL
    SELECT trace_id, span_id, side_effect, arguments FROM log_rows
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND time >= {from:DateTime64(9, 'UTC')} AND time <= {to:DateTime64(9, 'UTC')} AND arguments != ''
)
WHERE {every:Bool} OR side_effect IN ('write', 'destructive') OR match(arguments, '(?i)(url|uri|link|href|endpoint|host|domain|site|webhook|page)s?"')
LIMIT 1 BY trace_id, span_id
