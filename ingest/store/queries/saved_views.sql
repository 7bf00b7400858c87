SELECT name, page, query, author, at FROM saved_views FINAL WHERE NOT is_gone ORDER BY name LIMIT 500
