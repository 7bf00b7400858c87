SELECT id, subscriber, kind, finding_id, group_key, body, told, state, attempts, next_attempt_at, created_at, updated_at,
       last_status, last_error, version
FROM outbox FINAL
WHERE id = {id:String} AND ({subscriber:String} = '' OR subscriber = {subscriber:String})
ORDER BY subscriber
