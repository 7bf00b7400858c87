SELECT toString(toDate(time)) AS day
FROM log_rows
WHERE ingester = {ingester:String} AND seq >= {first:UInt64} AND seq <= {last:UInt64}
    AND time >= {from:DateTime64(9, 'UTC')} AND time <= {to:DateTime64(9, 'UTC')}
GROUP BY day
