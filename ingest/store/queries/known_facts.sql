SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, fact_digest, role, parent_run_span_id, actor_id,
    task_kind, tool_name,
    signature, side_effect, start_time, cost_usd, starter_id, tenant, run_cost_usd, run_tokens, run_output_tokens, run_calls, run_model, targets, is_error, error_type, cause_id, is_replayed
FROM span_facts AS f FINAL
WHERE f.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
