-- What people wrote on a fingerprint, the oldest first.
SELECT at, finding_id, author, kind, text, assignee, until FROM finding_notes
WHERE detector = {detector:String} AND fingerprint = {fingerprint:String}
ORDER BY at
LIMIT 1000
