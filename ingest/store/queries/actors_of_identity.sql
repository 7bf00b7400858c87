-- Actors that worked under an identity since a moment: their own id, a principal, a credential or a delegation.
WITH held AS
(
    SELECT trace_id, span_id FROM span_rows WHERE start_time >= {from:DateTime64(9, 'UTC')} AND delegation_id = {id:String}
)
SELECT actor_id, argMax(actor_name, start_time) AS actor_name, count() AS spans, min(start_time) AS first_seen, max(start_time) AS last_seen
FROM span_facts FINAL
WHERE start_time >= {from:DateTime64(9, 'UTC')} AND actor_id != '' AND role != ''
    AND (actor_id = {id:String} OR principal_id = {id:String} OR credential_id = {id:String} OR (trace_id, span_id) IN held)
GROUP BY actor_id
ORDER BY spans DESC, actor_id
LIMIT 100
