-- coverage_spans
-- Some spans as they came, to ask again which rule said what.
SELECT lower(hex(s.trace_id)) AS trace, lower(hex(s.span_id)) AS span, s.name AS name, toString(s.kind) AS kind,
    toString(s.status_code) AS status_code, toString(s.service_name) AS service_name, toString(s.scope_name) AS scope_name,
    s.attributes AS attributes, s.resource_attributes AS resource_attributes, s.event_names AS event_names,
    s.event_attributes AS event_attributes
FROM span_rows AS s
WHERE s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND s.span_id IN (SELECT toFixedString(unhex(arrayJoin({spans:Array(String)})), 8))
    AND s.start_time >= {from:DateTime64(9, 'UTC')} AND s.start_time <= {to:DateTime64(9, 'UTC')}
ORDER BY s.trace_id, s.span_id
LIMIT 1 BY trace, span
LIMIT 2000
