SELECT toString(toDate(a.received_at)) AS day
FROM arrivals AS a LEFT JOIN (SELECT ingester, seq FROM progress FINAL) AS p ON p.ingester = a.ingester
GROUP BY toDate(a.received_at)
HAVING countIf(a.seq > p.seq) = 0 AND toDate(a.received_at) < today()
