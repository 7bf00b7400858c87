-- Who else uses some credentials or delegations since a moment.
SELECT s.id AS id, groupUniqArray(20)(toString(f.actor_name)) AS actors
FROM
(
    SELECT trace_id, span_id, arrayJoin([toString(credential_id), toString(delegation_id)]) AS id FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')}
        AND (credential_id IN {ids:Array(String)} OR delegation_id IN {ids:Array(String)})
) AS s
INNER JOIN
(
    SELECT trace_id, span_id, actor_name FROM span_facts WHERE start_time >= {from:DateTime64(9, 'UTC')} AND actor_id != ''
) AS f ON f.trace_id = s.trace_id AND f.span_id = s.span_id
WHERE s.id IN {ids:Array(String)}
GROUP BY id
