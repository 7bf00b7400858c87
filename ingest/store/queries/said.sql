-- What was asked for, what models answered and what the steps of runs came to, each as the set of its words: of the first 64 KiB,
-- digests that serve to compare within one answer of this query only.
SELECT
    trace_id, span_id,
    arraySlice(arrayDistinct(arrayMap(w -> cityHash64(w), extractAll(lowerUTF8(text), '[\\pL\\pN]+'))), 1, 4096) AS words,
    match(text, '```|<code>') AS has_code,
    match(text, '(?i)\\bopen\\([^)]*, *(?:mode *= *)?[\'"][wax]|\\.write(?:_text|_bytes|lines)?\\(|\\bsubprocess\\b|\\bshutil\\b|\\bos\\.(?:system|remove|unlink|rename|replace|mkdir|makedirs)\\b|\\.to_(?:csv|json|excel|parquet|pickle|sql)\\(|\\bsavefig\\(|\\.(?:post|put|patch|delete|commit)\\(|\\bsed -i\\b|\\bgit (?:apply|commit|push)\\b') AS may_write
FROM
(
    SELECT
        lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id,
        replaceRegexpAll(substringUTF8(multiIf(
            operation = 'invoke_agent', request,
            operation = 'step', concat(multiIf(result != '', result, attributes['output.value'] != '', attributes['output.value'],
                attributes['traceloop.entity.output']), ' ', status_message),
            attributes['llm.output_messages.0.message.content'] != '', attributes['llm.output_messages.0.message.content'],
            attributes['gen_ai.output.messages'] != '', attributes['gen_ai.output.messages'],
            attributes['output.value'] != '', attributes['output.value'],
            attributes['traceloop.entity.output']), 1, 65536), '\\\\[nrt]', ' ') AS text
    FROM span_rows AS s
    WHERE s.trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND start_time >= {from:DateTime64(9, 'UTC')} AND start_time <= {to:DateTime64(9, 'UTC')}
        AND operation IN ('step', 'chat', 'invoke_agent')
)
WHERE text NOT IN ('', ' ')
LIMIT 1 BY trace_id, span_id
