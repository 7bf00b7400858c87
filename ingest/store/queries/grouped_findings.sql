-- Findings that follow from another one.
SELECT body
FROM finding_rows FINAL
WHERE JSONExtractString(body, 'root') = {id:String}
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], severity), updated_at DESC, id
LIMIT 100
