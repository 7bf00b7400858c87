-- What some traces have cost so far.
SELECT lower(hex(trace_id)) AS trace_id, sum(f.cost_usd) AS cost_usd
FROM span_facts AS f FINAL
WHERE f.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) AND f.cost_usd > 0
GROUP BY trace_id
