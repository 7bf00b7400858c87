-- Notifications in one state or any, newest first.
SELECT id, subscriber, kind, finding_id, group_key, state, attempts, next_attempt_at, created_at, updated_at, last_status, last_error
FROM outbox FINAL
WHERE ({state:String} = '' OR state = {state:String}) AND ({subscriber:String} = '' OR subscriber = {subscriber:String})
ORDER BY created_at DESC, id, subscriber
LIMIT {limit:UInt32}
