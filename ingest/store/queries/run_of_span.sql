-- The run that a span belongs to, or is.
SELECT lower(hex(r.trace_id)) AS trace_id, lower(hex(r.span_id)) AS span_id, r.start_time AS start_time, r.actor_id AS actor_id,
    r.actor_name AS actor_name, r.actor_basis AS actor_basis, r.cause_id AS cause_id, r.task_kind AS task_kind,
    r.conversation_id AS conversation_id
FROM span_facts AS r FINAL
WHERE r.trace_id = toFixedString(unhex({trace:String}), 16) AND r.role = 'run'
    AND ({span:String} = '' OR lower(hex(r.span_id)) IN
    (
        SELECT if(role = 'run', lower(hex(span_id)), run_span_id) FROM span_facts FINAL
        WHERE trace_id = toFixedString(unhex({trace:String}), 16) AND span_id = toFixedString(unhex({span:String}), 8)
    ))
ORDER BY r.parent_run_span_id != '', r.start_time, span_id
LIMIT 1
