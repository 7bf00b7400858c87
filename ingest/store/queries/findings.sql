SELECT body
FROM finding_rows FINAL
WHERE ({detector:String} = '' OR detector = {detector:String})
    AND ({state:String} = '' OR state = {state:String})
    AND severity IN {severities:Array(String)}
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'info'], severity), updated_at DESC, id
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
