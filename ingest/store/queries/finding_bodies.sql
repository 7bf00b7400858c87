SELECT body FROM finding_rows FINAL WHERE id IN {ids:Array(String)}
