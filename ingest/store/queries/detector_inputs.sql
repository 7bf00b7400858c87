SELECT detector, frame, sum(rows) AS rows, sum(signals) AS signals
FROM detector_inputs
WHERE day >= {from:Date}
GROUP BY detector, frame
ORDER BY detector, frame
