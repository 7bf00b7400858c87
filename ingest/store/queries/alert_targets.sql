SELECT name, min(since) AS since FROM alert_targets GROUP BY name
