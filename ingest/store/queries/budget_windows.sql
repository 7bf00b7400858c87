-- What some nodes spent in each window of a period, and in the last quarter of an hour in which they spent anything.
SELECT id, toDateTime64(opened, 9, 'UTC') AS began, sum(usd) AS spent_usd, sumIf(usd, minute > latest - INTERVAL 15 MINUTE) AS recent_usd,
    toDateTime64(max(latest), 9, 'UTC') AS last_at
FROM
(
    SELECT id, minute, usd, opened, max(minute) OVER (PARTITION BY id, opened) AS latest
    FROM
    (
        SELECT id, minute, usd, toDateTime(multiIf({period:String} = 'hour', toStartOfHour(minute), {period:String} = 'day', toStartOfDay(minute),
            {period:String} = 'week', toDateTime(toStartOfWeek(minute, 1), 'UTC'), toDateTime(toStartOfMonth(minute), 'UTC')), 'UTC') AS opened
        FROM spend_minutes FINAL
        WHERE node = {node:String} AND id IN {ids:Array(String)} AND minute >= {from:DateTime64(9, 'UTC')} AND minute < {to:DateTime64(9, 'UTC')}
            AND usd > 0
    )
)
GROUP BY id, opened
