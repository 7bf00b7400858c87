-- Where spans came from: tenant, service, environment.
SELECT DISTINCT lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id, toString(tenant) AS tenant, toString(service_name) AS service,
       resource_attributes['deployment.environment.name'] AS environment
FROM span_rows AS s
WHERE s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
  AND s.span_id IN (SELECT toFixedString(unhex(arrayJoin({spans:Array(String)})), 8))
  AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
