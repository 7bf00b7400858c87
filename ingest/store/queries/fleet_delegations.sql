SELECT e.1 AS actor_id, countIf(e.2) AS delegations_out, countIf(NOT e.2) AS delegations_in
FROM
(
    SELECT arrayJoin([(toString(d.delegator_id), true), (toString(d.delegate_id), false)]) AS e
    FROM delegation_rows AS d FINAL
    WHERE NOT d.is_gone AND d.start_time >= {from:DateTime64(9, 'UTC')}
)
WHERE actor_id != ''
GROUP BY actor_id
