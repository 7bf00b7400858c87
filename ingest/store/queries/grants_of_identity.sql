-- Delegations and credentials that an identity holds or uses since a moment, with their scopes, ends and who else uses them.
WITH held AS
(
    SELECT trace_id, span_id FROM span_facts
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND actor_id = {id:String}
)
SELECT pair.1 AS kind, pair.2 AS id, argMax(credential_type, start_time) AS type, groupUniqArrayArray(50)(arrayMap(x -> toString(x), scope_granted)) AS scopes,
    argMax(if(pair.1 = 'credential', credential_expires_at, grant_expires_at), start_time) AS ends,
    argMax(delegator_name, start_time) AS delegator_name, min(start_time) AS first_seen, max(start_time) AS last_seen, count() AS spans
FROM
(
    SELECT start_time, credential_type, scope_granted, credential_expires_at, grant_expires_at, delegator_name,
        arrayJoin(arrayFilter(p -> p.2 != '', [('credential', toString(credential_id)), ('delegation', toString(delegation_id))])) AS pair
    FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')}
        AND ((trace_id, span_id) IN held OR principal_id = {id:String} OR credential_id = {id:String} OR delegation_id = {id:String})
)
GROUP BY kind, id
ORDER BY kind, last_seen DESC, id
LIMIT 200
