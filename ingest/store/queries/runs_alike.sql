-- Runs of an agent that may be the same work: by cause, by kind of task, by conversation, or by the execution that they name.
-- The newest are looked for in few columns; of some of them a later version may say otherwise.
WITH named AS
(
    SELECT trace_id FROM span_rows
    WHERE {execution:String} != '' AND execution_id = {execution:String}
        AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
), newest AS
(
    SELECT trace_id, span_id, start_time FROM span_facts
    WHERE role = 'run' AND actor_id = {actor:String} AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
        AND ((cause_id != '' AND cause_id = {cause:String}) OR (conversation_id != '' AND conversation_id = {conversation:String})
            OR task_kind = {task:String} OR trace_id IN named)
    ORDER BY start_time DESC
    LIMIT {limit:UInt64} * 2 + 20
)
SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, f.start_time AS start_time, s.end_time AS end_time,
    f.trigger AS trigger, s.execution_id AS execution_id, s.execution_original_id AS execution_original_id, f.attempt AS attempt,
    f.cause_id AS cause_id, f.cause_basis AS cause_basis, f.user_id AS user_id, f.conversation_id AS conversation_id,
    f.is_error AS is_error, f.state AS state, f.run_span_id AS run_span_id,
    arrayMap(t -> lower(hex(t)), s.link_trace_ids) AS link_trace_ids, f.task_kind AS task_kind, f.run_cost_usd AS cost_usd,
    f.run_tokens AS tokens, substringUTF8(f.cause_request, 1, 500) AS request
FROM
(
    SELECT * FROM span_facts FINAL
    WHERE role = 'run' AND actor_id = {actor:String}
        AND start_time >= (SELECT min(start_time) FROM newest) AND start_time <= (SELECT max(start_time) FROM newest)
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM newest)
        AND ((cause_id != '' AND cause_id = {cause:String}) OR (conversation_id != '' AND conversation_id = {conversation:String})
            OR task_kind = {task:String} OR trace_id IN named)
    ORDER BY start_time DESC
    LIMIT {limit:UInt64}
) AS f
LEFT ANY JOIN
(
    SELECT trace_id, span_id, end_time, execution_id, execution_original_id, link_trace_ids FROM span_rows
    WHERE start_time >= (SELECT min(start_time) FROM newest) AND start_time <= (SELECT max(start_time) FROM newest)
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM newest)
) AS s ON s.trace_id = f.trace_id AND s.span_id = f.span_id
ORDER BY start_time DESC, trace_id, span_id
