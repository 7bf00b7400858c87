-- What a memory has of all keys that begin with these two parts.
SELECT key, at, trace_id, value
FROM
(
    SELECT key, at, trace_id, value FROM baselines
    PREWHERE name = {memory:String} AND prefix IN (SELECT cityHash64(arrayJoin({prefixes:Array(String)})))
    ORDER BY version DESC
    LIMIT 1 BY key
)
ARRAY JOIN at, trace_id, value
