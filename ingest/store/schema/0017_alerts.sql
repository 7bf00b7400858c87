-- A notification tells of a group of findings: its key, and what the target knows of the group once it has the row (JSON).
-- The newest row of a group is the whole state of its alerting: planning goes on from there after any crash.
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS group_key String AFTER finding_id, ADD COLUMN IF NOT EXISTS told String AFTER body;

-- When a target was named first: of what was found before it hears nothing.
CREATE TABLE IF NOT EXISTS alert_targets
(
    name String,
    since DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (name, since)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What nobody is to be told of for a while; `matchers` is a JSON object of labels. The highest version of an id counts.
CREATE TABLE IF NOT EXISTS silences
(
    id String,
    matchers String,
    author String,
    reason String,
    starts_at DateTime64(6, 'UTC'),
    ends_at DateTime64(6, 'UTC'),
    created_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
