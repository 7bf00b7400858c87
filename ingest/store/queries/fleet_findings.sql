SELECT f.subject_id AS actor_id, count() AS open_findings,
    argMin(f.severity, indexOf(['critical', 'high', 'medium', 'low', 'info'], f.severity)) AS worst
FROM finding_rows AS f FINAL
WHERE f.state != 'resolved'
GROUP BY actor_id
