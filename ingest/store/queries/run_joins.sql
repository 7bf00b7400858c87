-- Delegations between a trace and others: the act stands in one, the run that it started in another.
SELECT lower(hex(d.trace_id)) AS trace_id, lower(hex(d.span_id)) AS span_id, r.trace AS run_trace_id, d.delegate_span_id AS run_span_id,
    d.delegator_name AS delegator_name, d.delegate_name AS delegate_name, toString(d.mode) AS mode, toString(d.basis) AS basis,
    d.start_time AS start_time
FROM
(
    SELECT * FROM delegation_rows FINAL
    WHERE NOT is_gone AND delegate_span_id != ''
        AND (trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) OR delegate_span_id IN {runs:Array(String)})
) AS d
INNER JOIN
(
    SELECT lower(hex(f.span_id)) AS span, lower(hex(f.trace_id)) AS trace
    FROM span_facts AS f
    WHERE f.span_id IN
    (
        SELECT toFixedString(unhex(delegate_span_id), 8) FROM delegation_rows FINAL
        WHERE NOT is_gone AND length(delegate_span_id) = 16
            AND (trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) OR delegate_span_id IN {runs:Array(String)})
    ) AND f.role = 'run'
    GROUP BY f.trace_id, f.span_id
) AS r ON r.span = d.delegate_span_id
WHERE run_trace_id != trace_id AND (trace_id = {trace:String} OR run_trace_id = {trace:String})
ORDER BY start_time, trace_id, span_id, run_span_id
LIMIT {limit:UInt64}
