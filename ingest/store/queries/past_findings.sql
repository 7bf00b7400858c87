-- The latest finding of each fingerprint.
SELECT body
FROM finding_rows FINAL
WHERE fingerprint IN {fingerprints:Array(String)}
ORDER BY updated_at DESC, id
LIMIT 1 BY fingerprint
