-- Rollup: what actors were granted and what of it they used, one row per entry of a grant. Times are those of the events; the
-- place of the latest grant is its time, trace and span in one text, so that the latest one stays.
CREATE TABLE IF NOT EXISTS holdings
(
    actor_id String,
    scope String,
    actor_name SimpleAggregateFunction(max, String),
    first_at SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
    granted_at SimpleAggregateFunction(max, DateTime64(9, 'UTC')),
    ends_at SimpleAggregateFunction(max, DateTime64(9, 'UTC')),
    used_at SimpleAggregateFunction(max, DateTime64(9, 'UTC')),
    granted_in SimpleAggregateFunction(max, String)
)
ENGINE = AggregatingMergeTree
ORDER BY (actor_id, scope)
TTL toDateTime(granted_at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
