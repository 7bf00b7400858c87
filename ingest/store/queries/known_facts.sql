SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, fact_digest
FROM span_facts FINAL
WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
