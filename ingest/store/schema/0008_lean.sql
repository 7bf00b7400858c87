-- What made spans large: LZ4 on attributes and digests, ids of spans beside those of their traces, numbers and times that
-- only grow. ZSTD(1) costs less CPU than it saves of disk; merges column by column need no memory for a hundred columns.
ALTER TABLE span_rows MODIFY SETTING default_compression_codec = 'ZSTD(1)', vertical_merge_algorithm_min_rows_to_activate = 1;
ALTER TABLE span_rows MODIFY COLUMN seq UInt64 CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN end_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1));
ALTER TABLE log_rows MODIFY SETTING default_compression_codec = 'ZSTD(1)', vertical_merge_algorithm_min_rows_to_activate = 1;
ALTER TABLE log_rows MODIFY COLUMN seq UInt64 CODEC(Delta, ZSTD(1));
ALTER TABLE arrivals_of_spans MODIFY QUERY
SELECT ingester, seq, received_at, trace_id, start_time, false AS is_log FROM span_rows;
ALTER TABLE arrivals_of_logs MODIFY QUERY
SELECT ingester, seq, received_at, trace_id, time AS start_time, true AS is_log
FROM log_rows
WHERE trace_id != toFixedString('', 16) AND event_name NOT IN ('actorscope.span.start', 'actorscope.span.heartbeat');
ALTER TABLE arrivals MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE arrivals DROP COLUMN IF EXISTS span_id, MODIFY COLUMN seq UInt64 CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1));
ALTER TABLE stitches MODIFY SETTING default_compression_codec = 'ZSTD(1)';
