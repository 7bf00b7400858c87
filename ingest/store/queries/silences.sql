SELECT id, matchers, author, reason, starts_at, ends_at, created_at FROM silences FINAL WHERE ends_at >= {from:DateTime64(9, 'UTC')} ORDER BY starts_at, id
