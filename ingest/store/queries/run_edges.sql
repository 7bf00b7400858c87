SELECT d.delegator_id AS delegator_id, d.delegator_name AS delegator_name, d.delegate_id AS delegate_id,
    d.delegate_name AS delegate_name, d.basis AS basis, count() AS delegations, groupUniqArray(5)(toString(d.mode)) AS modes,
    min(d.start_time) AS first_at, lower(hex(argMin(d.span_id, d.start_time))) AS span_id
FROM delegation_rows AS d FINAL
WHERE d.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND NOT d.is_gone
GROUP BY delegator_id, delegator_name, delegate_id, delegate_name, basis
ORDER BY first_at, span_id
LIMIT 500
