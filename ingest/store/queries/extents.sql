-- When findings were first and last seen, and where they are gravest, there latest.
SELECT finding_id, min(at) AS first, max(at) AS last, argMax(trace_id, place) AS trace_id, argMax(at, place) AS start_time
FROM
(
    SELECT finding_id, at, trace_id, (indexOf(['info', 'low', 'medium', 'high', 'critical'], severity), at, trace_id, span_id) AS place
    FROM occurrences FINAL
    WHERE finding_id IN {ids:Array(String)} AND NOT is_retracted
)
GROUP BY finding_id
