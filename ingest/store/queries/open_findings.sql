SELECT body FROM finding_rows FINAL WHERE state != 'resolved' ORDER BY id
