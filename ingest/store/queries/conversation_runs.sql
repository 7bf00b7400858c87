-- Runs of a conversation that nobody in them delegated, the newest first.
SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, f.actor_name AS actor_name, f.task_kind AS task_kind,
    f.start_time AS start_time, f.is_error AS is_error, f.run_cost_usd AS cost_usd, f.run_tokens AS tokens, f.run_calls AS model_calls
FROM span_facts AS f FINAL
WHERE f.trace_id IN (SELECT trace_id FROM stitches WHERE key = cityHash64(concat('conversation ', {conversation:String})) ORDER BY start_time DESC LIMIT 1000)
    AND f.role = 'run' AND f.parent_run_span_id = '' AND f.conversation_id = {conversation:String}
ORDER BY start_time DESC, trace_id, span_id
LIMIT {limit:UInt64}
