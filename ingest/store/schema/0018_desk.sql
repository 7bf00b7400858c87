-- What people wrote on findings, never changed and never taken away: comments, who looks at it, and every mark.
CREATE TABLE IF NOT EXISTS finding_notes
(
    detector LowCardinality(String),
    fingerprint String,
    at DateTime64(6, 'UTC'),
    finding_id String,
    author String,
    kind LowCardinality(String),
    text String,
    assignee String,
    until DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (detector, fingerprint, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Questions that people want to ask again: a page of the explorer with its query. The latest version of a name counts.
CREATE TABLE IF NOT EXISTS saved_views
(
    name String,
    page LowCardinality(String),
    query String,
    author String,
    at DateTime64(6, 'UTC'),
    is_gone Bool,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
