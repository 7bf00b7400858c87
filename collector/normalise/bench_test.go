package normalise

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const conversation = `[{"role":"system","parts":[{"type":"text","content":"You help people with their orders. Be short and kind."}]},` +
	`{"role":"user","parts":[{"type":"text","content":"Where is order 1234? It should have been here on Monday."}]},` +
	`{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"get_order","arguments":{"order_id":"1234"}}]},` +
	`{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"{\"state\":\"on its way\",\"day\":\"Thursday\"}"}]}]`

// typical are spans as frameworks send them, a dozen attributes each.
var typical = []struct {
	name, span, scope string
	attributes        [][2]any
}{
	{"ToolCall", "execute_tool get_order", "opentelemetry.instrumentation.x", [][2]any{
		{"gen_ai.operation.name", "execute_tool"}, {"gen_ai.tool.name", "get_order"}, {"gen_ai.tool.call.id", "call_1"},
		{"gen_ai.tool.type", "function"}, {"gen_ai.tool.call.arguments", `{"order_id": "1234", "fields": ["state", "day"], "n": 3}`},
		{"gen_ai.tool.call.result", `{"state": "on its way"}`}, {"gen_ai.agent.name", "desk"}, {"gen_ai.agent.id", "a1"},
		{"gen_ai.conversation.id", "c1"}, {"thread.name", "main"}, {"code.function", "get_order"}, {"thread.id", 7},
	}},
	{"Chat", "chat gpt", "opentelemetry.instrumentation.x", [][2]any{
		{"gen_ai.operation.name", "chat"}, {"gen_ai.provider.name", "openai"}, {"gen_ai.request.model", "gpt"},
		{"gen_ai.response.model", "gpt-1"}, {"gen_ai.response.id", "r1"}, {"gen_ai.usage.input_tokens", 812},
		{"gen_ai.usage.output_tokens", 44}, {"gen_ai.input.messages", conversation}, {"gen_ai.output.messages", conversation},
		{"gen_ai.conversation.id", "c1"}, {"server.address", "api.example.com"}, {"gen_ai.request.temperature", 0.5},
	}},
	{"Agent", "invoke_agent desk", "opentelemetry.instrumentation.x", [][2]any{
		{"gen_ai.operation.name", "invoke_agent"}, {"gen_ai.agent.name", "desk"}, {"gen_ai.agent.id", "a1"},
		{"gen_ai.agent.version", "3"}, {"gen_ai.conversation.id", "c1"}, {"gen_ai.provider.name", "openai"},
		{"gen_ai.request.model", "gpt"}, {"actorscope.execution.id", "e1"}, {"actorscope.execution.attempt", 2},
		{"actorscope.delegation.chain", []any{"ann", "desk"}}, {"user.id", "ann"}, {"actorscope.task.kind", "order"},
	}},
	{"Dialect", "get_order", "openinference.instrumentation.langchain", [][2]any{
		{"openinference.span.kind", "TOOL"}, {"tool.name", "get_order"}, {"input.value", `{"order_id": "1234"}`},
		{"input.mime_type", "application/json"}, {"output.value", `{"state": "on its way"}`}, {"tool.description", "Reads an order."},
		{"metadata", `{"langgraph_node": "tools", "thread_id": "c1"}`}, {"session.id", "c1"}, {"tag.tags", "a"},
		{"tool.parameters", "{}"}, {"user.id", "ann"}, {"langgraph.step", 3},
	}},
	{"Foreign", "GET /orders/{id}", "io.opentelemetry.http", [][2]any{
		{"http.request.method", "GET"}, {"url.path", "/orders/1234"}, {"url.scheme", "https"}, {"http.response.status_code", 200},
		{"server.address", "orders.example.com"}, {"server.port", 443}, {"client.address", "192.0.2.1"}, {"http.route", "/orders/{id}"},
		{"user_agent.original", "curl"}, {"network.protocol.version", "1.1"}, {"thread.id", 7}, {"thread.name", "main"},
	}},
}

func typicalSpan(at int) (pcommon.Map, pcommon.InstrumentationScope, ptrace.Span) {
	resource := ptrace.NewResourceSpans()
	resource.Resource().Attributes().PutStr("service.name", "desk")
	resource.Resource().Attributes().PutStr("host.name", "node-1")
	scope := resource.ScopeSpans().AppendEmpty()
	scope.Scope().SetName(typical[at].scope)
	span := scope.Spans().AppendEmpty()
	span.SetName(typical[at].span)
	for _, pair := range typical[at].attributes {
		if err := span.Attributes().PutEmpty(pair[0].(string)).FromRaw(pair[1]); err != nil {
			panic(err)
		}
	}
	return resource.Resource().Attributes(), scope.Scope(), span
}

// BenchmarkSpan finds the facts of one span.
func BenchmarkSpan(b *testing.B) {
	n := shipped(b)
	for at := range typical {
		b.Run(typical[at].name, func(b *testing.B) {
			resource, scope, span := typicalSpan(at)
			f := n.NewFacts()
			b.ReportAllocs()
			for b.Loop() {
				n.Span(resource, scope, span, f)
			}
		})
	}
}

// BenchmarkWrite finds the facts of one span and writes them; the copy that is written on is part of it.
func BenchmarkWrite(b *testing.B) {
	n := shipped(b)
	for at := range typical {
		b.Run(typical[at].name, func(b *testing.B) {
			resource, scope, span := typicalSpan(at)
			f, copied := n.NewFacts(), ptrace.NewSpan()
			b.ReportAllocs()
			for b.Loop() {
				span.CopyTo(copied)
				if n.Span(resource, scope, copied, f) {
					n.Write(copied.Attributes(), f, true)
				}
			}
		})
	}
}

// BenchmarkCopy is what BenchmarkWrite spends on its copy.
func BenchmarkCopy(b *testing.B) {
	_, _, span := typicalSpan(0)
	copied := ptrace.NewSpan()
	b.ReportAllocs()
	for b.Loop() {
		span.CopyTo(copied)
	}
}
