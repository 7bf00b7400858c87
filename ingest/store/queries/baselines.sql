SELECT key, at, trace_id, value
FROM (SELECT key, at, trace_id, value FROM baselines FINAL WHERE name = {memory:String} AND key IN {keys:Array(String)})
ARRAY JOIN at, trace_id, value
