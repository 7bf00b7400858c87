-- The latest runs, of one actor or of all. The newest are looked for in few columns; of some of them a later version may say otherwise.
WITH newest AS
(
    SELECT trace_id, span_id, start_time FROM span_facts
    WHERE role = 'run' AND ({actor:String} = '' OR actor_id = {actor:String}) AND ({actor:String} != '' OR parent_run_span_id = '')
        AND start_time >= {from:DateTime64(9, 'UTC')}
    ORDER BY start_time DESC, trace_id, span_id
    LIMIT {limit:UInt64} * 3 + 20
)
SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, f.actor_id AS actor_id,
    f.actor_name AS actor_name, f.task_kind AS task_kind, f.trigger AS trigger, f.caller_name AS caller_name,
    f.start_time AS start_time, s.end_time AS end_time, f.is_error AS is_error, f.run_cost_usd AS cost_usd,
    f.run_tokens AS tokens, f.run_calls AS model_calls, substring(s.name, 1, 300) AS name, s.service_name AS service_name
FROM
(
    SELECT * FROM span_facts FINAL
    WHERE role = 'run' AND ({actor:String} = '' OR actor_id = {actor:String}) AND ({actor:String} != '' OR parent_run_span_id = '')
        AND start_time >= (SELECT min(start_time) FROM newest) AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM newest)
    ORDER BY start_time DESC, trace_id, span_id
    LIMIT {limit:UInt64}
) AS f
LEFT ANY JOIN
(
    SELECT trace_id, span_id, end_time, name, service_name FROM span_rows
    WHERE start_time >= (SELECT min(start_time) FROM newest) AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM newest)
) AS s ON s.trace_id = f.trace_id AND s.span_id = f.span_id
ORDER BY f.start_time DESC, trace_id, span_id
