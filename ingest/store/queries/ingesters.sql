SELECT a.ingester AS ingester, a.last AS last, p.seq AS done, p.spans AS spans
FROM (SELECT ingester, max(seq) AS last FROM arrivals GROUP BY ingester) AS a
LEFT JOIN (SELECT ingester, seq, spans FROM progress FINAL) AS p ON p.ingester = a.ingester
ORDER BY ingester
