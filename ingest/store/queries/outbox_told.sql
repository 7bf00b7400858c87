-- What each target knows of each group, by the newest row; of groups that are over only those of the last days.
SELECT subscriber, group_key, argMax(told, created_at) AS told
FROM outbox
WHERE group_key != ''
GROUP BY subscriber, group_key
HAVING argMax(kind, created_at) NOT IN ('resolved', 'no_data') OR max(created_at) >= {from:DateTime64(9, 'UTC')}
