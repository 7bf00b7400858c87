-- Findings as their latest transition told them.
SELECT finding_id, argMax(body, at) AS body FROM transitions WHERE finding_id IN {ids:Array(String)} GROUP BY finding_id ORDER BY finding_id
