-- Memories that are kept by cause or by the minute are for a while only (see analysis/repeats.py).
ALTER TABLE baselines MODIFY TTL toDateTime(fromUnixTimestamp64Nano(toInt64(version))) + INTERVAL 40 DAY
    DELETE WHERE name IN ('cause_writes', 'failures');
