SELECT arrayJoin(requests) AS request
FROM (SELECT requests FROM segments WHERE ingester = {ingester:String} ORDER BY segment DESC LIMIT 20000)
LIMIT 200000
