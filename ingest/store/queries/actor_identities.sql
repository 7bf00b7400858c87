-- As whom and from where an actor worked, one row per value, with when it was first and last seen so since a moment.
SELECT pair.1 AS kind, pair.2 AS value, min(start_time) AS first_seen, max(start_time) AS last_seen, count() AS spans,
    uniqExact(trace_id) AS traces
FROM
(
    SELECT start_time, trace_id, arrayJoin(arrayFilter(p -> p.2 != '', [
        ('principal', toString(principal_id)), ('credential', if(credential_id = '', '', concat(credential_id, if(credential_type = '', '', concat(' (', credential_type, ')'))))),
        ('on behalf of', user_id), ('host', toString(host_name)), ('service', toString(service_name)), ('version', toString(agent_version))])) AS pair
    FROM span_facts FINAL
    WHERE actor_id = {actor:String} AND role != '' AND start_time >= {from:DateTime64(9, 'UTC')}
)
GROUP BY kind, value
ORDER BY kind, first_seen, value
LIMIT 500
