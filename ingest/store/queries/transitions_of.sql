SELECT id, kind, severity, at FROM transitions FINAL WHERE finding_id = {id:String} ORDER BY at, id
