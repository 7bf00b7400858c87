-- What comes late finds those whom it concerns: delegations are stitched to the one above them, and the memory of where an
-- instance ran (analysis/whereabouts.py) is kept for a while only, as those of causes and minutes.
ALTER TABLE baselines MODIFY TTL toDateTime(fromUnixTimestamp64Nano(toInt64(version))) + INTERVAL 40 DAY
    DELETE WHERE name IN ('cause_writes', 'failures', 'whereabouts');

ALTER TABLE stitches_of_spans MODIFY QUERY
WITH operation = 'execute_tool' AND result = '' AND (tool_call_id != '' OR input_digest != '') AS is_bare
SELECT
    cityHash64(arrayJoin(arrayFilter(x -> x != '', arrayConcat(
        [
            if(delegation_id = '', '', concat('delegation ', delegation_id)),
            if(delegation_parent_id = '', '', concat('under ', delegation_parent_id)),
            if(task_id = '', '', concat('task ', task_id)),
            if(is_bare, concat('bare ', service_name), ''),
            if(is_bare, concat('bare ', service_name, ' ', tool_name, ' ', if(tool_call_id = '', input_digest, tool_call_id)), ''),
            if(conversation_id = '' OR NOT (operation IN ('invoke_agent', 'handoff') OR delegate_name != '' OR delegation_mode != ''),
                '', concat('conversation ', conversation_id))
        ],
        arrayMap(x -> concat('trace ', lower(hex(x))), link_trace_ids)
    )))) AS key,
    start_time,
    trace_id
FROM span_rows;
