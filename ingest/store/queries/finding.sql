SELECT body FROM finding_rows FINAL WHERE id = {id:String}
