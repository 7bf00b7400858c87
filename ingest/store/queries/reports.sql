SELECT ingester, at, started_at, lag_seconds, spool_bytes, spool_limit, mapKeys(counts) AS names, mapValues(counts) AS amounts
FROM ingest_reports
WHERE at >= {from:DateTime64(3)}
ORDER BY ingester, at
LIMIT 20000
