-- What some runs, or the calls that started them, ended with.
SELECT lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id,
    substring(multiIf(
        attributes['gen_ai.output.messages'] != '', attributes['gen_ai.output.messages'],
        attributes['output.value'] != '', attributes['output.value'],
        attributes['traceloop.entity.output'] != '', attributes['traceloop.entity.output'],
        result), 1, 16000) AS reply
FROM span_rows AS s
WHERE s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND s.span_id IN (SELECT toFixedString(unhex(arrayJoin({spans:Array(String)})), 8))
    AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
LIMIT 1 BY trace_id, span_id
