-- What made spans large: LZ4 on attributes and digests, numbers and times that only grow. Merges column by column need no
-- memory for a hundred columns. The views keep their queries: MODIFY QUERY makes a view forget, at the next start, the
-- tokens of what it has taken, and a replayed segment would arrive twice.
ALTER TABLE span_rows MODIFY SETTING default_compression_codec = 'ZSTD(1)', vertical_merge_algorithm_min_rows_to_activate = 1;
ALTER TABLE span_rows MODIFY COLUMN seq UInt64 CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN end_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1));
ALTER TABLE log_rows MODIFY SETTING default_compression_codec = 'ZSTD(1)', vertical_merge_algorithm_min_rows_to_activate = 1;
ALTER TABLE log_rows MODIFY COLUMN seq UInt64 CODEC(Delta, ZSTD(1));
ALTER TABLE arrivals MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE arrivals MODIFY COLUMN seq UInt64 CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1));
ALTER TABLE stitches MODIFY SETTING default_compression_codec = 'ZSTD(1)';
