-- The pending rows of a subscriber, the next due first. The inner query reads no bodies, so that old rows cost little.
SELECT id, subscriber, kind, finding_id, body, state, attempts, next_attempt_at, created_at, updated_at,
       last_status, last_error, version
FROM outbox FINAL
WHERE subscriber = {subscriber:String}
  AND id IN (
      SELECT id
      FROM outbox
      WHERE subscriber = {subscriber:String}
      GROUP BY id
      HAVING argMax(state, version) = 'pending'
      ORDER BY argMax(next_attempt_at, version), min(created_at), id
      LIMIT {limit:UInt32}
  )
ORDER BY next_attempt_at, created_at, id
