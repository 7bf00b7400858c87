-- The pending rows of a subscriber, the next due first, of each group only the oldest: nobody hears of an end before the beginning.
-- The inner query reads no bodies, so that old rows cost little.
SELECT id, subscriber, kind, finding_id, group_key, body, told, state, attempts, next_attempt_at, created_at, updated_at,
       last_status, last_error, version
FROM outbox FINAL
WHERE subscriber = {subscriber:String}
  AND id IN (
      SELECT id
      FROM (
          SELECT id, any(group_key) AS grouped, argMax(next_attempt_at, version) AS due, min(created_at) AS made
          FROM outbox
          WHERE subscriber = {subscriber:String}
          GROUP BY id
          HAVING argMax(state, version) = 'pending'
          ORDER BY made, id
          LIMIT 1 BY if(grouped = '', id, grouped)
      )
      ORDER BY due, made, id
      LIMIT {limit:UInt32}
  )
ORDER BY next_attempt_at, created_at, id
