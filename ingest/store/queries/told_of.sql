-- Attempts to tell subscribers of a finding, the newest first.
SELECT d.at AS at, d.subscriber AS subscriber, d.id AS id, d.attempt AS attempt, d.status AS status, d.error AS error
FROM deliveries AS d
WHERE d.id IN (SELECT id FROM outbox WHERE finding_id = {id:String})
ORDER BY at DESC
LIMIT 100
