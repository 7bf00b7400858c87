-- Who started the runs of some traces, as far as it was found out.
SELECT lower(hex(f.trace_id)) AS root_trace_id, lower(hex(f.span_id)) AS root_span_id, starter_id, starter_name, starter_type, chain
FROM span_facts AS f FINAL
WHERE f.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) AND role = 'run' AND starter_id != ''
