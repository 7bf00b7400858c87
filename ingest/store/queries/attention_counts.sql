-- Findings per value of every filter; `passing` are those that the text and the period let through.
SELECT family, severity, state, detector, count() AS findings, countIf(is_in) AS passing, sumIf(cost_usd, is_in) AS cost_usd,
    min(first_evidence_at) AS first_seen
FROM
(
    SELECT f.family AS family, f.severity AS severity, f.state AS state, f.detector AS detector, f.cost_usd AS cost_usd,
        f.first_evidence_at AS first_evidence_at,
        ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(f.title, ' ', f.subject_name, ' ', f.id), {text:String}) > 0)
            AND f.last_evidence_at >= {from:DateTime64(9, 'UTC')} AND f.first_evidence_at <= {to:DateTime64(9, 'UTC')} AS is_in
    FROM finding_rows AS f FINAL
    WHERE {subject:String} = '' OR f.subject_id = {subject:String}
)
GROUP BY family, severity, state, detector
