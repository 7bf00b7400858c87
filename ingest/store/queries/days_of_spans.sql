SELECT toString(toDate(start_time)) AS day
FROM span_rows
WHERE ingester = {ingester:String} AND seq >= {first:UInt64} AND seq <= {last:UInt64}
    AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
GROUP BY day
