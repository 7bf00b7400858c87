SELECT uniqExact(s.span_id) AS spans, count() AS rows, min(s.start_time) AS start_time, max(s.end_time) AS end_time,
    uniqExactIf(s.span_id, s.status_code = 'error' OR s.error_type != '') AS errors,
    groupUniqArray(10)(toString(s.service_name)) AS services, groupUniqArrayIf(10)(toString(s.dialect), s.dialect != '') AS dialects,
    groupUniqArrayIf(10)(s.conversation_id, s.conversation_id != '') AS conversations
FROM span_rows AS s
WHERE s.trace_id IN (SELECT toFixedString(unhex({trace:String}), 16)) AND s.state != 'started'
