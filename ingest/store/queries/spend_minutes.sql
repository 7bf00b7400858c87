-- The sums of some minutes, or of all from `first` on, made anew; `nodes`, `ids` and `at` are sums that may have nothing left.
INSERT INTO spend_minutes
SELECT node, id, minute, sum(usd) AS usd, groupUniqArrayArray(16)(roots) AS roots, {version:UInt64} AS version
FROM
(
    SELECT n.1 AS node, n.2 AS id, toStartOfMinute(start_time) AS minute, cost_usd AS usd, [cityHash64(root_trace_id, root_span_id)] AS roots
    FROM spends FINAL
    ARRAY JOIN [('actor', toString(actor_id)), ('task', toString(task_kind)), ('delegator', starter_id), ('tenant', toString(tenant))] AS n
    WHERE toStartOfMinute(start_time) >= toDateTime({first:Int64}, 'UTC') AND NOT is_void AND (n.2 != '' OR n.1 = 'tenant')
        AND ({is_all:UInt8} = 1
        OR toStartOfMinute(start_time) IN (SELECT toDateTime(arrayJoin({minutes:Array(Int64)}), 'UTC')))
    UNION ALL
    SELECT z.1, z.2, toDateTime(z.3, 'UTC'), 0, []
    FROM (SELECT arrayJoin(arrayZip({nodes:Array(String)}, {ids:Array(String)}, {at:Array(Int64)})) AS z)
)
GROUP BY node, id, minute
