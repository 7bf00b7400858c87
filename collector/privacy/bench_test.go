package privacy

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

func benchmark(b *testing.B, config Config, attributes map[string]any) {
	p := policy(b, config)
	whole, one := span(b, attributes), ptrace.NewSpan()
	whole.SetName("execute_tool pay")
	size := 0
	for key, value := range whole.Attributes().All() {
		size += len(key) + len(value.AsString())
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		whole.CopyTo(one)
		p.Span(one)
	}
}

var (
	usual = map[string]any{
		"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "pay", "gen_ai.agent.name": "billing", "gen_ai.tool.call.id": "call_17",
		"gen_ai.tool.call.arguments": `{"recipient": "ann@example.org", "amount": 12.5, "text": "for the second order of last week"}`,
		"gen_ai.tool.call.result":    "paid 12.50 to ann@example.org", "gen_ai.usage.input_tokens": 812, "server.address": "db.example.org",
	}
	chat = map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.request.model": "large-1",
		"gen_ai.input.messages": "[" + strings.Repeat(`{"role": "user", "parts": [{"type": "text", "content": "please look at the order of Zoë Lee"}]}, `, 60) +
			`{"role": "assistant", "parts": []}]`,
		"output.value": strings.Repeat("This is what a model says, with an address like ann@example.org and some café. ", 50),
	}
	presets = []string{"secrets", "emails", "cards"}
)

func BenchmarkNothing(b *testing.B) { benchmark(b, Config{}, usual) }
func BenchmarkLimits(b *testing.B) {
	benchmark(b, Config{MaxAttributes: 128, MaxValueBytes: 65_536}, usual)
}
func BenchmarkRedact(b *testing.B) {
	benchmark(b, Config{RedactPresets: presets, RedactKeys: []string{"*password*"}}, usual)
}
func BenchmarkFingerprint(b *testing.B) { benchmark(b, Config{FingerprintKey: testKey}, usual) }
func BenchmarkRedactChat(b *testing.B)  { benchmark(b, Config{RedactPresets: presets}, chat) }
func BenchmarkFingerprintChat(b *testing.B) {
	benchmark(b, Config{FingerprintKey: testKey}, chat)
}
