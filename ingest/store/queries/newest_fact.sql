SELECT max(f.start_time) AS at, count() AS spans FROM span_facts AS f
