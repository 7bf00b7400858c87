SELECT id, toDateTime64(m.minute, 9, 'UTC') AS minute, usd, roots
FROM spend_minutes AS m FINAL
WHERE node = {node:String} AND id IN {ids:Array(String)} AND m.minute >= {from:DateTime64(9, 'UTC')} AND m.minute <= {to:DateTime64(9, 'UTC')}
    AND usd > 0
