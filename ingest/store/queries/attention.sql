-- Findings as rows of a list: the gravest first, then the dearest, then the newest. Empty arrays and texts do not filter.
SELECT f.id AS id, f.detector AS detector, f.family AS family, f.rule AS rule, f.severity AS severity, f.state AS state,
    substring(f.title, 1, 500) AS title, f.subject_id AS subject_id, f.subject_name AS subject_name,
    f.confidence AS confidence, f.count AS count, f.cost_usd AS cost_usd, f.opened_at AS opened_at,
    f.updated_at AS updated_at, f.first_evidence_at AS first_evidence_at, f.last_evidence_at AS last_evidence_at,
    JSONExtractString(f.body, 'root') AS root, n.assignee AS assignee,
    arrayMap(e -> (JSONExtractString(e, 'trace_id'), JSONExtractString(e, 'span_id')),
        arraySlice(JSONExtractArrayRaw(f.body, 'evidence'), -1)) AS last_evidence
FROM finding_rows AS f FINAL
LEFT JOIN
(
    SELECT detector, fingerprint, argMax(assignee, at) AS assignee FROM finding_notes
    WHERE kind = 'assigned' GROUP BY detector, fingerprint
) AS n ON n.detector = f.detector AND n.fingerprint = f.fingerprint
WHERE (empty({families:Array(String)}) OR f.family IN {families:Array(String)})
    AND (empty({severities:Array(String)}) OR f.severity IN {severities:Array(String)})
    AND (empty({states:Array(String)}) OR f.state IN {states:Array(String)})
    AND (empty({detectors:Array(String)}) OR f.detector IN {detectors:Array(String)})
    AND ({subject:String} = '' OR f.subject_id = {subject:String})
    AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(f.title, ' ', f.subject_name, ' ', f.id), {text:String}) > 0)
    AND f.last_evidence_at >= {from:DateTime64(9, 'UTC')} AND f.first_evidence_at <= {to:DateTime64(9, 'UTC')}
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], severity), ifNull(cost_usd, 0) DESC, updated_at DESC, id
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
