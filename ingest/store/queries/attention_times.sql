-- How often what the filters let through was seen, by bucket of event time and severity.
SELECT toDateTime64(toStartOfInterval(o.at, toIntervalSecond({seconds:UInt32})), 3, 'UTC') AS bucket, o.severity AS severity, count() AS seen
FROM occurrences AS o FINAL
WHERE NOT o.is_retracted AND o.at >= {from:DateTime64(9, 'UTC')} AND o.at <= {to:DateTime64(9, 'UTC')}
    AND o.finding_id IN
    (
        SELECT f.id FROM finding_rows AS f FINAL
        WHERE (empty({families:Array(String)}) OR f.family IN {families:Array(String)})
            AND (empty({severities:Array(String)}) OR f.severity IN {severities:Array(String)})
            AND (empty({states:Array(String)}) OR f.state IN {states:Array(String)})
            AND (empty({detectors:Array(String)}) OR f.detector IN {detectors:Array(String)})
            AND ({subject:String} = '' OR f.subject_id = {subject:String})
            AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(f.title, ' ', f.subject_name, ' ', f.id), {text:String}) > 0)
    )
GROUP BY bucket, severity
ORDER BY bucket, severity
LIMIT 5000
