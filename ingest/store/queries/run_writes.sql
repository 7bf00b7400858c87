-- The successful writes of a run, each with how often the same was written elsewhere, ever, and where first.
SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, f.start_time AS start_time, f.tool_name AS tool_name,
    f.side_effect AS side_effect, f.signature AS signature, f.targets AS targets, e.times AS times, e.places AS places
FROM
(
    SELECT * FROM span_facts FINAL
    WHERE trace_id = toFixedString(unhex({trace:String}), 16) AND run_span_id = {run:String} AND role = 'action'
        AND side_effect IN ('write', 'destructive') AND signature != '' AND NOT is_error AND NOT is_replayed
) AS f
LEFT JOIN
(
    SELECT signature, count() AS times,
        arraySort(groupArray(1000)((start_time, lower(hex(trace_id)), lower(hex(span_id)), actor_name))) AS places
    FROM effects FINAL
    WHERE NOT is_void AND signature IN
    (
        SELECT signature FROM span_facts
        WHERE trace_id = toFixedString(unhex({trace:String}), 16) AND role = 'action' AND signature != ''
    )
    GROUP BY signature
) AS e ON e.signature = f.signature
ORDER BY start_time, span_id
LIMIT 200
