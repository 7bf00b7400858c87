-- Which of these traces analysis has seen before.
SELECT DISTINCT lower(hex(f.trace_id)) AS trace_id
FROM span_facts AS f
WHERE f.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND f.start_time >= {from:DateTime64(9, 'UTC')} AND f.start_time <= {to:DateTime64(9, 'UTC')}
