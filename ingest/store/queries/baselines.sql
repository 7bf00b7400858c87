SELECT key, at, trace_id, value
FROM
(
    SELECT key, at, trace_id, value FROM baselines
    PREWHERE name = {memory:String}
        AND prefix IN (SELECT cityHash64(arrayStringConcat(arraySlice(splitByChar('\x1f', arrayJoin({keys:Array(String)})), 1, 2), '\x1f')))
        AND hash IN (SELECT cityHash64(arrayJoin({keys:Array(String)})))
    ORDER BY version DESC
    LIMIT 1 BY key
)
ARRAY JOIN at, trace_id, value
