SELECT
    lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id, lower(hex(s.parent_span_id)) AS parent_span_id,
    name, kind, start_time, end_time, status_code, status_message, service_name, dialect, seq, ingester, result != '' AS has_result,
    if(result = '', NULL, cityHash64(result)) AS result_digest,
    if(operation = 'execute_tool', arraySlice(arraySort(arrayDistinct(arrayMap(w -> cityHash64(w),
        extractAll(lowerUTF8(replaceRegexpAll(arguments, '"[^"]*"\\s*:', ' ')), '\\pL+')))), 1, 32), []) AS argument_words,
    operation = 'execute_tool' AND match(arguments, '(?i)"(?:\\w*_)?(?:cursor|page|offset|skip|continuation|next)(?:_?[a-z]+)?"\\s*:') AS is_paged,
    startsWith(arguments, char(123)) OR (arguments = '' AND input_digest != '') AS has_object,
    arrayMap(x -> lower(hex(x)), s.link_trace_ids) AS link_trace_ids, arrayMap(x -> lower(hex(x)), s.link_span_ids) AS link_span_ids,
    * EXCEPT (trace_id, span_id, parent_span_id, name, kind, start_time, end_time, status_code, status_message,
              service_name, dialect, seq, ingester, link_trace_ids, link_span_ids, link_attributes, received_at, trace_state,
              flags, scope_name, scope_version, attributes, attribute_types, resource_attributes, event_times,
              event_names, event_attributes, dropped_count, arguments, result)
FROM span_rows AS s
WHERE s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
LIMIT 1 BY trace_id, span_id
