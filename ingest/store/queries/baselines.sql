SELECT key, at, trace_id, value
FROM
(
    SELECT key, at, trace_id, value FROM baselines
    PREWHERE name = {memory:String} AND hash IN (SELECT cityHash64(arrayJoin({keys:Array(String)})))
    ORDER BY version DESC
    LIMIT 1 BY key
)
ARRAY JOIN at, trace_id, value
