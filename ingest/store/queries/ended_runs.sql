-- What has ended in some traces: runs by the ids under which others wait for them, locks that were got, and how much there is.
SELECT lower(hex(s.trace_id)) AS trace_id, count() AS ended,
    groupUniqArrayIf(agent_instance_id, agent_instance_id != '' AND operation = 'invoke_agent') AS instances,
    groupUniqArrayIf(delegation_id, delegation_id != '' AND operation = 'invoke_agent') AS ended_delegations,
    groupArrayIf((wait_target_id, lower(hex(s.parent_span_id)), s.end_time), wait_target_type = 'lock' AND status_code != 'error') AS locks
FROM (
    SELECT trace_id, span_id, parent_span_id, end_time, agent_instance_id, operation, delegation_id, wait_target_type, wait_target_id, status_code
    FROM span_rows
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')} AND state != 'started'
    LIMIT 1 BY trace_id, span_id) AS s
GROUP BY trace_id
