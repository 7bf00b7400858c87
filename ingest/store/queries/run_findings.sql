-- Findings seen in a trace, and those that cite it as evidence although they were seen in another.
SELECT f.body AS body
FROM finding_rows AS f FINAL
WHERE f.id IN (SELECT finding_id FROM occurrences FINAL WHERE trace_id = {trace:String} AND NOT is_retracted)
    OR position(f.body, {trace:String}) > 0
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], f.severity), f.updated_at DESC, f.id
LIMIT 100
