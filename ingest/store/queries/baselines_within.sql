-- What a memory has of all keys that begin like these.
SELECT key, at, trace_id, value
FROM (SELECT key, at, trace_id, value FROM baselines FINAL WHERE name = {memory:String} AND arrayExists(p -> startsWith(key, p), {prefixes:Array(String)}))
ARRAY JOIN at, trace_id, value
