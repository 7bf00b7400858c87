// One agent run with two tool calls through an exporter of the SDK; prints the ids it gave, and warnings to stderr:
//   node export.js json|proto|grpc ENDPOINT none|gzip|long      (long: a text longer than 1 KiB, not compressed)
import { DiagLogLevel, SpanKind, SpanStatusCode, context, diag, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as Grpc } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as Json } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as Proto } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const [kind, url, form] = process.argv.slice(2);
const tell = (...words) => console.error(...words);
diag.setLogger({ error: tell, warn: tell, info: tell, debug: tell, verbose: tell }, DiagLogLevel.WARN);
const exporter = new { json: Json, proto: Proto, grpc: Grpc }[kind]({ url, compression: form === "gzip" ? "gzip" : "none" });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": `js-${kind}-${form}` }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const tracer = provider.getTracer("sdk-clients", "1.2.3");
const said = [];
const keep = (span) => said.push([span.spanContext().traceId, span.spanContext().spanId, span.name]);

const run = tracer.startSpan("invoke_agent desk", {
  attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk" },
});
keep(run);
const within = trace.setSpan(context.active(), run);
for (const name of ["look_up", "pay"]) {
  const call = tracer.startSpan(`execute_tool ${name}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": name,
      "app.text": "Grüße, 東京 🎉",
      "app.int": Number.MAX_SAFE_INTEGER,
      "app.double": 0.25,
      "app.flag": true,
      "app.list": ["a", "b"],
      ...(form === "long" && { "app.long": "x".repeat(5000) }),
    },
  }, within);
  keep(call);
  call.addEvent("retried", { attempt: 2 });
  if (name === "pay") call.setStatus({ code: SpanStatusCode.ERROR, message: "declined" });
  call.end();
}
run.end();
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify(said));
