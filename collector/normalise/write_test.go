package normalise

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

type given = map[string]any

// written is what becomes of the attributes of a span.
func written(t *testing.T, attributes given, keepOriginals bool, fill ...func(ptrace.Span)) given {
	t.Helper()
	n := shipped(t)
	span := ptrace.NewSpan()
	span.SetName("step")
	if err := span.Attributes().FromRaw(attributes); err != nil {
		t.Fatal(err)
	}
	for _, copyTo := range fill {
		copyTo(span)
	}
	resource := pcommon.NewMap()
	resource.PutStr("host.name", "node-1")
	f := n.NewFacts()
	if n.Span(resource, pcommon.NewInstrumentationScope(), span, f) {
		n.Write(span.Attributes(), f, keepOriginals)
	}
	if made := span.Attributes().AsRaw(); len(made) == span.Attributes().Len() {
		return made
	}
	t.Error("a key is there twice")
	return nil
}

func expect(t *testing.T, came, expected given) {
	t.Helper()
	for key := range came {
		if _, is := expected[key]; !is {
			t.Errorf("%s is there: %v", key, came[key])
		}
	}
	for key, value := range expected {
		if list, is := value.([]any); is {
			made, _ := came[key].([]any)
			if len(made) != len(list) {
				t.Errorf("%s is %v", key, came[key])
			}
			for i := range made {
				if made[i] != list[i] {
					t.Errorf("%s is %v", key, made)
				}
			}
		} else if came[key] != value {
			t.Errorf("%s is %v, expected %v", key, came[key], value)
		}
	}
}

func TestFactsStandInCanonicalAttributes(t *testing.T) {
	came := written(t, given{
		"openinference.span.kind": "TOOL", "tool.name": "get_order", "input.value": `{"id": 7}`, "metadata": "x", "llm.token_count.prompt": "12",
		"actorscope.delegation.chain": "ann, desk", "actorscope.action.replayed": "TRUE", "actorscope.cost.amount": 3,
	}, true)
	expect(t, came, given{
		"openinference.span.kind": "TOOL", "tool.name": "get_order", "input.value": `{"id": 7}`, "metadata": "x", "llm.token_count.prompt": "12",
		"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order", "gen_ai.tool.call.arguments": `{"id": 7}`,
		"actorscope.action.input.digest": came["actorscope.action.input.digest"], "actorscope.action.side_effect": "read",
		"gen_ai.usage.input_tokens": int64(12), "actorscope.delegation.chain": []any{"ann", "desk"}, "actorscope.action.replayed": true,
		"actorscope.cost.amount": 3.0, "actorscope.edge.original.actorscope.delegation.chain": "ann, desk", "host.name": "node-1",
		"actorscope.edge.original.actorscope.action.replayed": "TRUE", "actorscope.edge.original.actorscope.cost.amount": int64(3),
		semconv.EdgeDialect: "openinference", semconv.EdgeOperationBasis: "derived",
	})
	if digest, _ := came["actorscope.action.input.digest"].(string); !strings.HasPrefix(digest, "sha256:") {
		t.Error(digest)
	}
}

func TestOnlyAnUnusualBasisIsMarked(t *testing.T) {
	usual := given{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order", "gen_ai.agent.name": "desk"}
	said := maps.Clone(usual)
	said["actorscope.action.side_effect"] = "read"
	for _, one := range []struct{ came, marks given }{
		{usual, given{}},
		{said, given{semconv.EdgeSideEffectBasis: "declared"}},
		{given{"openinference.span.kind": "AGENT", "agent.name": "desk"}, given{semconv.EdgeOperationBasis: "derived", semconv.EdgeAgentBasis: "derived"}},
	} {
		came := written(t, one.came, true)
		for _, basis := range bases {
			if came[basis.key] != one.marks[basis.key] {
				t.Errorf("%v: %s is %v", one.came, basis.key, came[basis.key])
			}
		}
	}
}

func TestWithoutOriginalsWhatBecameAFactGoes(t *testing.T) {
	came := written(t, given{
		"openinference.span.kind": "TOOL", "tool.name": "get_order", "input.value": `{"id": 7}`, "metadata": "x", "llm.token_count.prompt": "x",
		"gen_ai.agent.name": "agent", "actorscope.cost.amount": 3, "gen_ai.request.model": "gpt", "gen_ai.tool.name": "get_order",
	}, false)
	for _, key := range []string{"input.value", "gen_ai.agent.name"} {
		if value, is := came[key]; is {
			t.Errorf("%s stayed: %v", key, value)
		}
	}
	for _, key := range []string{"metadata", "llm.token_count.prompt", "gen_ai.request.model", "gen_ai.tool.call.arguments"} {
		if _, is := came[key]; !is {
			t.Errorf("%s is gone", key)
		}
	}
	if _, is := came["tool.name"]; !is {
		t.Error("tool.name supplied nothing, gen_ai.tool.name did: it stays")
	}
	for key := range came {
		if strings.HasPrefix(key, originalPrefix) {
			t.Errorf("%s was kept", key)
		}
	}
	if came["actorscope.cost.amount"] != 3.0 {
		t.Error(came["actorscope.cost.amount"])
	}
}

func TestAttributesThatMaySayMoreThanTheFactStay(t *testing.T) {
	messages := `[{"role": "user", "parts": [{"type": "text", "content": "go on"}, {"type": "text", "content": "and on"}]}]`
	for _, isKept := range []bool{true, false} {
		came := written(t, given{
			"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": messages, "openinference.span.kind": "AGENT", "metadata": `{"thread_id": "c1"}`,
		}, isKept)
		if came["gen_ai.input.messages"] != messages || came["actorscope.request"] != "go on and on" || came["metadata"] == nil {
			t.Error(isKept, came)
		}
	}
}

func TestGatheredAttributesStay(t *testing.T) {
	calls := given{
		"openinference.span.kind": "LLM", "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "send",
		"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}", "llm.output_messages.0.message.role": "assistant",
	}
	kept, dropped := written(t, calls, true), written(t, calls, false)
	want := `[{"id": "", "name": "send", "arguments": "{}"}]`
	for key := range calls {
		if _, is := kept[key]; !is {
			t.Errorf("%s is gone", key)
		}
		if _, is := dropped[key]; is == (key == "openinference.span.kind") {
			t.Errorf("%s: it is %v that it stayed", key, is)
		}
	}
	if kept["actorscope.decision.call_list"] != want || dropped["actorscope.decision.call_list"] != want {
		t.Error(kept, dropped)
	}
}

func TestWhatSaysNothingIsMovedAway(t *testing.T) {
	came := written(t, given{"gen_ai.agent.name": "agent", "gen_ai.usage.input_tokens": "many", "host.name": "mine"}, true)
	expect(t, came, given{
		"actorscope.edge.original.gen_ai.agent.name": "agent", "actorscope.edge.original.gen_ai.usage.input_tokens": "many",
		"actorscope.edge.original.host.name": "mine", "host.name": "node-1", semconv.EdgeDialect: "otel_genai",
	})
}

func TestTheModelIsNotSaidTwice(t *testing.T) {
	base := given{"host.name": "node-1", semconv.EdgeDialect: "otel_genai"}
	with := func(more given) given {
		made := maps.Clone(base)
		maps.Copy(made, more)
		return made
	}
	for _, isKept := range []bool{true, false} {
		asked := given{"gen_ai.request.model": "gpt"}
		expect(t, written(t, asked, isKept), with(asked))
		both := given{"gen_ai.request.model": "gpt", "gen_ai.response.model": "gpt-1"}
		expect(t, written(t, both, isKept), with(both))
	}
	said := given{"gen_ai.request.model": "gpt", "gen_ai.response.model": ""}
	expect(t, written(t, said, false), with(given{"gen_ai.response.model": "gpt"}))
	expect(t, written(t, said, true), with(given{
		"gen_ai.request.model": "gpt", "gen_ai.response.model": "gpt", "actorscope.edge.original.gen_ai.response.model": "",
	}))
}

func TestOldMarksAndDoubleKeysSayNothing(t *testing.T) {
	one := func(key, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, key, value)
	}
	pairs := []string{one(semconv.EdgeAgentBasis, "declared"), one(semconv.EdgeVersion, "9"), one("gen_ai.tool.type", "x")}
	for _, name := range []string{"old", "new", "new"} {
		pairs = append(pairs, one("gen_ai.tool.name", name))
	}
	body := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[` + strings.Join(pairs, ",") + `]}]}]}]}`
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	came := written(t, nil, true, traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).CopyTo)
	expect(t, came, given{
		"gen_ai.tool.name": "new", "gen_ai.tool.type": "x", "actorscope.edge.original.gen_ai.tool.name": "old", "host.name": "node-1",
		semconv.EdgeDialect: "otel_genai",
	})
}

func TestForeignRecordsStayAsTheyAre(t *testing.T) {
	foreign := given{"http.route": "/", "host.name": "mine", "error.type": "500"}
	came := written(t, foreign, false)
	if !maps.Equal(came, foreign) {
		t.Error(came)
	}
}
