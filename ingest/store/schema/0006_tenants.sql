-- Whose telemetry it is: the label of the sender's token, empty where nobody needs a token. It is part of what a span is,
-- so that one tenant cannot replace the spans of another by sending their ids.
ALTER TABLE span_rows ADD COLUMN IF NOT EXISTS tenant LowCardinality(String) AFTER received_at,
    MODIFY ORDER BY (service_name, toStartOfMinute(start_time), trace_id, span_id, tenant);
ALTER TABLE log_rows ADD COLUMN IF NOT EXISTS tenant LowCardinality(String) AFTER received_at,
    MODIFY ORDER BY (service_name, event_name, toStartOfMinute(time), trace_id, span_id, time, cityHash64(body, attributes), tenant);
