-- The spans of a trace that carry a text in their attributes, events, links or status; case does not matter.
SELECT lower(hex(s.span_id)) AS span_id
FROM span_rows AS s
WHERE s.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND s.state != 'started'
    AND (arrayExists(x -> positionCaseInsensitiveUTF8(x, {text:String}) > 0, mapValues(s.attributes))
        OR arrayExists(x -> positionCaseInsensitiveUTF8(x, {text:String}) > 0, mapKeys(s.attributes))
        OR arrayExists(x -> positionCaseInsensitiveUTF8(x, {text:String}) > 0, s.event_names)
        OR arrayExists(m -> arrayExists(x -> positionCaseInsensitiveUTF8(x, {text:String}) > 0, mapValues(m)), s.event_attributes)
        OR positionCaseInsensitiveUTF8(s.status_message, {text:String}) > 0)
ORDER BY s.start_time, span_id
LIMIT 1 BY s.span_id
LIMIT {limit:UInt64}
