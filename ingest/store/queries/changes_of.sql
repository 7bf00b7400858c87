-- Actions on a resource: by the targets that were made out, by the target that a span states, or by words of the arguments.
WITH hits AS
(
    SELECT trace_id, span_id FROM span_facts
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
        AND (has(targets, {name:String}) OR if({plain:Bool}, positionCaseInsensitive(asked_arguments, {name:String}), positionCaseInsensitiveUTF8(asked_arguments, {name:String})) > 0)
    UNION DISTINCT
    SELECT trace_id, span_id FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
        AND if({plain:Bool}, positionCaseInsensitive(target, {name:String}) + positionCaseInsensitive(arguments, {name:String}),
            positionCaseInsensitiveUTF8(target, {name:String}) + positionCaseInsensitiveUTF8(arguments, {name:String})) > 0
)
SELECT lower(hex(f.trace_id)) AS trace_id, lower(hex(f.span_id)) AS span_id, f.start_time AS start_time, f.actor_id AS actor_id,
    f.actor_name AS actor_name, f.actor_basis AS actor_basis, f.tool_name AS tool_name, f.side_effect AS side_effect,
    f.is_error AS is_error, f.is_replayed AS is_replayed, f.targets AS targets, f.task_kind AS task_kind,
    s.target AS target, if(s.arguments != '', substringUTF8(s.arguments, 1, 2000), substringUTF8(f.asked_arguments, 1, 2000)) AS arguments,
    s.scope_used AS scope_used, f.approval_id AS approval_id, f.approval_status AS approval_status,
    f.approver_type AS approver_type, f.approver_id AS approver_id, f.authz_outcome AS authz_outcome, f.cause_id AS cause_id
FROM
(
    SELECT * FROM span_facts FINAL
    WHERE role = 'action' AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
        AND (NOT {writes:Bool} OR side_effect IN ('write', 'destructive')) AND (trace_id, span_id) IN hits
) AS f
LEFT ANY JOIN
(
    SELECT trace_id, span_id, target, arguments, scope_used FROM span_rows
    WHERE start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')} AND (trace_id, span_id) IN hits
) AS s ON s.trace_id = f.trace_id AND s.span_id = f.span_id
ORDER BY f.side_effect IN ('write', 'destructive') DESC, start_time DESC, trace_id, span_id
LIMIT {limit:UInt64}
