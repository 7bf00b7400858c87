SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, delegate_span_id, delegator_id, delegator_name,
    delegate_id, delegate_name, mode, start_time, basis
FROM delegation_rows AS f FINAL
WHERE f.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)) AND NOT is_gone
