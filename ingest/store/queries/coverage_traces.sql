-- coverage_traces
-- The latest traces of a range of event time; with an actor (id or name), those in which it did something.
SELECT lower(hex(s.trace_id)) AS trace_id, max(s.start_time) AS start_time
FROM span_rows AS s
WHERE s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
    AND ({actor:String} = '' OR s.trace_id IN (
        SELECT f.trace_id FROM span_facts AS f
        WHERE {actor:String} != '' AND (f.actor_id = {actor:String} OR f.actor_name = {actor:String})
            AND f.start_time >= {from:DateTime64(9, 'UTC')} AND f.start_time <= {to:DateTime64(9, 'UTC')}))
GROUP BY s.trace_id
ORDER BY start_time DESC, trace_id
LIMIT {limit:UInt64}
