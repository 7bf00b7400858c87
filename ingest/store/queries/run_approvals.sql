-- What was asked for and answered in a trace, in the order of time: by the spans that were decided on, and by log records.
SELECT substring(e.approval, 1, 200) AS approval_id, e.at AS at, e.state AS state, substring(e.approver, 1, 200) AS approver_id,
    e.approver_type AS approver_type, e.span AS span_id, e.basis AS basis, e.is_log AS is_log
FROM
(
    SELECT f.approval_id AS approval, f.start_time AS at, if(f.approval_status = '', 'used', toString(f.approval_status)) AS state,
        f.approver_id AS approver, toString(f.approver_type) AS approver_type, lower(hex(f.span_id)) AS span, toString(f.approval_basis) AS basis, false AS is_log
    FROM span_facts AS f FINAL
    WHERE f.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND f.approval_id != ''
    UNION ALL
    SELECT DISTINCT l.approval_id, l.time,
        multiIf(l.approval_status != '', toString(l.approval_status), l.event_name = 'actorscope.approval.request', 'pending', 'named'),
        l.approver_id, toString(l.approver_type), lower(hex(l.span_id)), 'declared', true
    FROM log_rows AS l
    WHERE l.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND l.approval_id != ''
        AND l.event_name NOT IN ('actorscope.span.start', 'actorscope.span.heartbeat')
) AS e
ORDER BY at, span_id, state
LIMIT 1000
