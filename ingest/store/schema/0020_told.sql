-- What was told is kept for a time, too. The age of a notification counts from its last change, so that no older row of one that was
-- delivered outlives the newer; a group that has been open for longer than that without a word is told anew.
ALTER TABLE outbox MODIFY TTL toDateTime(updated_at) + INTERVAL 400 DAY;

ALTER TABLE deliveries MODIFY TTL toDateTime(at) + INTERVAL 90 DAY;
