-- The latest runs of an actor at the same kind of task, in other traces.
SELECT lower(hex(r.trace_id)) AS trace_id, lower(hex(r.span_id)) AS span_id, r.start_time AS start_time,
    r.run_cost_usd AS cost_usd, r.run_tokens AS tokens
FROM runs AS r FINAL
WHERE NOT r.is_void AND r.actor_id = {actor:String} AND r.task_kind = {task:String} AND r.trace_id NOT IN (SELECT toFixedString(unhex({trace:String}), 16))
ORDER BY r.start_time DESC, trace_id, span_id
LIMIT 1 BY trace_id
LIMIT {limit:UInt64}
