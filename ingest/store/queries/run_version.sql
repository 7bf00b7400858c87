-- What changes when anything of a trace does, at the price of reading next to nothing.
SELECT
    (SELECT count() FROM span_rows WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))) AS spans,
    (SELECT max(version) FROM span_facts WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))) AS facts,
    (SELECT count() FROM log_rows WHERE trace_id IN (SELECT toFixedString(unhex({trace:String}), 16))) AS logs,
    (SELECT count() FROM occurrences WHERE trace_id = {trace:String}) AS findings
