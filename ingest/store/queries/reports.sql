SELECT ingester, at, started_at, lag_seconds, spool_bytes, spool_limit, mapKeys(counts) AS names, mapValues(counts) AS amounts
FROM ingest_reports
WHERE at >= {from:DateTime64(9, 'UTC')}
ORDER BY ingester, at
LIMIT 20000
