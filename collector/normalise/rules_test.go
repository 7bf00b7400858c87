package normalise

import (
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

func TestTheErrorNamesEachRuleThatCannotBeDone(t *testing.T) {
	rules, err := semconv.Load()
	if err != nil {
		t.Fatal(err)
	}
	one := "1"
	rules.Dialects = append(rules.Dialects, semconv.Dialect{Name: "mine", Prefixes: []string{"mine."}, Rules: []semconv.Rule{
		{Column: "tool_name", Source: "x", JSON: "$..a"},
		{Column: "tool_name", Source: "x", Extract: "(a(?=b))"},
		{Column: "input_tokens", Constant: &one},
		{Column: "tool_name", Source: "x", Plus: []string{"y"}},
		{Column: "input_tokens", Source: "x", Content: "request"},
		{Column: "result", Source: "x", Content: "poetry"},
		{Column: "result", Source: "x", Where: []semconv.Condition{{Key: "execution_attempt", Values: []string{"1"}}}},
		{Column: "result", Source: "x", Same: []string{"y"}},
		{Column: "tool_calls", Keys: "(", Content: "tool_calls"},
	}})
	_, err = New(rules)
	if err == nil {
		t.Fatal("all was taken")
	}
	for _, part := range []string{"$..a", "(a(?=b))", "a constant", "a sum", "content request", "content poetry", "execution_attempt", "two keys", "pattern (:"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not named in %v", part, err)
		}
	}
	rules.Dialects = make([]semconv.Dialect, 65)
	if _, err := New(rules); err == nil {
		t.Error("65 dialects were taken")
	}
	if _, err := New(&semconv.Rules{}); err == nil || !strings.Contains(err.Error(), "no column tool_name") {
		t.Error(err)
	}
}

// find is the facts of one span by rules of the test's own.
func find(t *testing.T, rules []semconv.Rule, attributes given) *Facts {
	t.Helper()
	all, err := semconv.Load()
	if err != nil {
		t.Fatal(err)
	}
	all.Dialects = []semconv.Dialect{{Name: "mine", Prefixes: []string{"mine."}, Rules: rules}}
	n, err := New(all)
	if err != nil {
		t.Fatal(err)
	}
	span := ptrace.NewSpan()
	if err := span.Attributes().FromRaw(attributes); err != nil {
		t.Fatal(err)
	}
	f := n.NewFacts()
	n.Span(pcommon.NewMap(), pcommon.NewInstrumentationScope(), span, f)
	return f
}

func TestConditionsReadAttributesAndColumnsFilledBefore(t *testing.T) {
	rules := []semconv.Rule{
		{Column: "agent_name", Source: "mine.agent", Ignore: []string{"agent"}},
		{Column: "operation", Source: "mine.kind", Present: []string{"agent_name"}, Values: map[string]string{"x": "chat"}, Otherwise: "keep", Lower: true},
		{Column: "operation", Source: "mine.kind", Where: []semconv.Condition{{Key: "mine.n", Values: []string{"1", "2"}}}, StripPrefix: "k", StripSuffix: "d"},
		{Column: "tool_name", Source: "mine.kind", Same: []string{"agent_name", "@name"}},
		{Column: "result", Source: "mine.kind", Where: []semconv.Condition{{Key: "result", Values: []string{"1"}}}},
		{Column: "input_tokens", Source: "mine.n", Plus: []string{"mine.m"}},
		{Column: "output_tokens", Source: "mine.usage", JSON: "$.a", Plus: []string{"$.b", "$.c"}},
		{Column: "cost_amount", Source: "mine.m", Absent: []string{"mine.absent"}},
		{Column: "user_id", Nothing: true, Present: []string{"mine.m"}},
		{Column: "user_id", Source: "mine.kind"},
	}
	f := find(t, rules, given{
		"mine.agent": "agent", "mine.kind": "kind", "mine.n": 1, "mine.m": "2.5", "mine.usage": `{"a": 1, "b": "2", "c": "x"}`, "result": "1",
	})
	if name, is := f.Text("agent_name"); is {
		t.Error(name)
	}
	if operation, _ := f.Text("operation"); operation != "in" {
		t.Error(operation)
	}
	if sum, _ := f.Int("input_tokens"); sum != 3 {
		t.Error(sum)
	}
	if sum, _ := f.Int("output_tokens"); sum != 3 {
		t.Error(sum)
	}
	if cost, _ := f.Double("cost_amount"); cost != 2.5 {
		t.Error(cost)
	}
	for _, column := range []string{"tool_name", "result", "user_id", "no such column"} {
		if text, is := f.Text(column); is {
			t.Errorf("%s is %s", column, text)
		}
	}
	f = find(t, rules, given{"mine.agent": "", "mine.kind": "X"})
	if _, is := f.Text("operation"); is {
		t.Error("an empty text was taken for a value")
	}
	if f = find(t, rules, given{"mine.agent": "a", "mine.kind": "X"}); f.came("operation") != "chat" || f.came("user_id") != "X" {
		t.Error(f.came("operation"), f.came("user_id"))
	}
}

func TestNumbersThatAreNoneAreLeftOut(t *testing.T) {
	rules := []semconv.Rule{{Column: "input_tokens", Source: "mine.n"}, {Column: "cost_amount", Source: "mine.n"}}
	for _, value := range []any{"many", "-1", -1, "inf", true, []any{1}, "", 9007199254740994} {
		if number, is := find(t, rules, given{"mine.n": value}).Int("input_tokens"); is {
			t.Errorf("%v: %d", value, number)
		}
	}
	for _, value := range []any{"nan", "-inf", "1e400", "", true} {
		if number, is := find(t, rules, given{"mine.n": value}).Double("cost_amount"); is {
			t.Errorf("%v: %v", value, number)
		}
	}
	if number, _ := find(t, rules, given{"mine.n": 7.9}).Int("input_tokens"); number != 7 {
		t.Error(number)
	}
}

func TestOneNormaliserServesMany(t *testing.T) {
	n := shipped(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			f := n.NewFacts()
			for i := range 200 {
				resource, scope, span := typicalSpan(i % len(typical))
				span.Attributes().PutStr("key."+strings.Repeat("x", i), "y")
				if n.Span(resource, scope, span, f) {
					n.Write(span.Attributes(), f, i%2 == 0)
				}
			}
		})
	}
	all.Wait()
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	n := shipped(t)
	f := n.NewFacts()
	for i := range 3 * mostKeys {
		span := ptrace.NewSpan()
		name := strings.Repeat("x", i%100) + string(rune('a'+i%26)) + strings.Repeat("y", i/100)
		span.Attributes().PutStr(name, "1")
		span.Attributes().PutStr("gen_ai.operation.name", "execute_tool")
		span.Attributes().PutStr("gen_ai.tool.name", name)
		scope := pcommon.NewInstrumentationScope()
		scope.SetName(name)
		n.Span(pcommon.NewMap(), scope, span, f)
	}
	if len(f.keys) > mostKeys || len(f.scopes) > mostScopes || len(f.tools) > mostTools || len(f.plans) > mostPlans {
		t.Error(len(f.keys), len(f.scopes), len(f.tools), len(f.plans))
	}
}
