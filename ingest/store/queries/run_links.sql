-- Span links from a trace and to it; those that lead here are found by the key that stitching keeps (see analysis/stitch.py).
SELECT lower(hex(from_trace)) AS from_trace_id, lower(hex(from_span)) AS from_span_id, lower(hex(to_trace)) AS to_trace_id,
    lower(hex(to_span)) AS to_span_id, substring(any(span_name), 1, 300) AS name, min(began) AS start_time
FROM
(
    SELECT s.trace_id AS from_trace, s.span_id AS from_span, s.name AS span_name, s.start_time AS began, link.1 AS to_trace, link.2 AS to_span
    FROM span_rows AS s ARRAY JOIN arrayZip(s.link_trace_ids, s.link_span_ids) AS link
    WHERE s.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))
        OR (s.trace_id IN (SELECT trace_id FROM stitches WHERE key = cityHash64(concat('trace ', {trace:String})) LIMIT 500)
            AND link.1 = toFixedString(unhex({trace:String}), 16))
)
GROUP BY from_trace, from_span, to_trace, to_span
ORDER BY start_time, from_trace_id, from_span_id, to_span_id
LIMIT {limit:UInt64}
