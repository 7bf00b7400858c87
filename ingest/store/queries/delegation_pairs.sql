-- Who delegated to whom since a moment, by pair.
SELECT delegator_id, argMax(delegator_name, start_time) AS delegator_name, delegate_id, argMax(delegate_name, start_time) AS delegate_name,
    count() AS delegations, max(start_time) AS last_seen, groupUniqArray(4)(toString(basis)) AS bases
FROM delegation_rows FINAL
WHERE NOT is_gone AND start_time >= {from:DateTime64(9, 'UTC')} AND delegator_id != '' AND delegate_id != ''
GROUP BY delegator_id, delegate_id
ORDER BY delegations DESC, delegator_id, delegate_id
LIMIT 10000
