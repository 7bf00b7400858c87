SELECT f.family AS family, f.severity AS severity, f.state AS state, count() AS findings, sum(f.cost_usd) AS cost_usd
FROM finding_rows AS f FINAL
WHERE {subject:String} = '' OR f.subject_id = {subject:String}
GROUP BY family, severity, state
