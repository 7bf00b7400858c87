SELECT count() AS rows FROM arrivals WHERE ingester = {ingester:String} AND seq >= {first:UInt64} AND seq <= {last:UInt64}
