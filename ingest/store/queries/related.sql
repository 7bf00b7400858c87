SELECT lower(hex(trace_id)) AS trace_id
FROM stitches
WHERE key IN (SELECT cityHash64(arrayJoin({keys:Array(String)})))
    AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
ORDER BY start_time DESC
LIMIT {most:UInt64} BY key
