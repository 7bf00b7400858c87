-- What tools and other sources put out in some traces, cut to 64 KiB each: where a target may have come from.
SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, at, substringUTF8(result, 1, 65536) AS result,
    substringUTF8(arguments, 1, 4096) AS arguments
FROM
(
    SELECT trace_id, span_id, start_time AS at, result, arguments FROM span_rows
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
        AND result != '' AND operation NOT IN ('chat', 'embeddings', 'invoke_agent', 'invoke_workflow')
    UNION ALL
    SELECT trace_id, span_id, time AS at, result, arguments FROM log_rows
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND time >= {from:DateTime64(9, 'UTC')} AND time <= {to:DateTime64(9, 'UTC')} AND result != ''
)
ORDER BY at, span_id
LIMIT 1 BY trace_id, span_id
