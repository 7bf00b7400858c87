-- What an action acts on, in canonical form (see ingest/targets.py).
ALTER TABLE span_facts ADD COLUMN IF NOT EXISTS targets Array(String) AFTER state;
