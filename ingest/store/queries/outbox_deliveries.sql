-- The latest attempts with what has become of their notification.
SELECT d.at AS at, d.id AS id, d.subscriber AS subscriber, o.kind AS kind, o.finding_id AS finding_id,
       d.attempt AS attempt, d.status AS status, d.latency_ms AS latency_ms, d.error AS error, o.state AS state,
       o.next_attempt_at AS next_attempt_at
FROM (SELECT * FROM deliveries ORDER BY at DESC, id, subscriber LIMIT {limit:UInt32}) AS d
LEFT JOIN
(
    SELECT id, subscriber, any(kind) AS kind, any(finding_id) AS finding_id, argMax(state, version) AS state,
           argMax(next_attempt_at, version) AS next_attempt_at
    FROM outbox
    GROUP BY id, subscriber
) AS o ON o.id = d.id AND o.subscriber = d.subscriber
ORDER BY at DESC, id, subscriber
