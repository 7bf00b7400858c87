-- When open findings were last new or graver.
SELECT finding_id, max(at) AS at
FROM transitions
WHERE kind IN ('opened', 'reopened', 'escalated') AND finding_id IN (SELECT id FROM finding_rows FINAL WHERE state != 'resolved')
GROUP BY finding_id
