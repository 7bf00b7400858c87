-- What people say of findings: the latest word on a fingerprint counts. A mute holds for whatever has the fingerprint until it ends.
CREATE TABLE IF NOT EXISTS finding_marks
(
    detector LowCardinality(String),
    fingerprint String,
    finding_id String,
    state LowCardinality(String),
    owner String,
    reason String,
    severity LowCardinality(String),
    at DateTime64(6, 'UTC'),
    until DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (detector, fingerprint)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE finding_rows ADD INDEX IF NOT EXISTS by_fingerprint fingerprint TYPE bloom_filter(0.01) GRANULARITY 1;

-- Rows that each detector was given, by frame and day; `signals` counts what it said (frame is then empty).
CREATE TABLE IF NOT EXISTS detector_inputs
(
    day Date,
    detector LowCardinality(String),
    frame LowCardinality(String),
    rows UInt64,
    signals UInt64
)
ENGINE = SummingMergeTree
ORDER BY (day, detector, frame)
TTL day + INTERVAL 90 DAY;
