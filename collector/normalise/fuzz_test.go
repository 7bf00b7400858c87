package normalise

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

// isWritten checks that a canonical key is there if and only if its column has a value, and that it has that value.
func isWritten(t *testing.T, n *Normaliser, attributes pcommon.Map, f *Facts) {
	t.Helper()
	seen := map[string]int{}
	for key := range attributes.All() {
		seen[key]++
	}
	for i := range n.columns {
		c, found := &n.columns[i], &f.columns[i]
		held, is := attributes.Get(c.attribute)
		if !is && c.name == "model" && found.isThere {
			held, is = lastOf(attributes, requestModel)
			if !is || textOf(held) != found.text {
				t.Errorf("the model %q is nowhere", found.text)
			}
			continue
		}
		if is != found.isThere || is && !c.holds(held, found) || seen[c.attribute] > 1 {
			t.Errorf("%s: %v, %v times in the record, is %v", c.attribute, found, seen[c.attribute], held)
		}
	}
	if dialect, is := attributes.Get(semconv.EdgeDialect); !is || dialect.Str() != f.Dialect() || f.Dialect() == "" {
		t.Errorf("the dialect is %q", f.Dialect())
	}
	for column, basis := range bases {
		mark, is := attributes.Get(basis.key)
		isMarked := f.Basis(column) != "" && f.Basis(column) != basis.usual
		if is != isMarked || is && mark.Str() != f.Basis(column) {
			t.Errorf("%s: %q", basis.key, f.Basis(column))
		}
	}
}

// FuzzSpan takes whatever a request can hold through the normaliser, as spans and as log records.
func FuzzSpan(f *testing.F) {
	traces, logs := ptrace.NewTraces(), plog.NewLogs()
	for at := range typical {
		_, _, span := typicalSpan(at)
		span.CopyTo(traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	}
	for _, found := range vectorFiles(f) {
		for i := range found[:min(len(found), 3)] {
			if v := &found[i]; v.Log != nil {
				v.log(logs.ResourceLogs().AppendEmpty())
			} else {
				v.span(traces.ResourceSpans().AppendEmpty())
			}
		}
	}
	for _, one := range traces.ResourceSpans().All() {
		alone := ptrace.NewTraces()
		one.CopyTo(alone.ResourceSpans().AppendEmpty())
		if body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(alone); err == nil {
			f.Add(body, true)
		}
	}
	if body, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs); err == nil {
		f.Add(body, false)
	}
	n := shipped(f)
	facts := n.NewFacts()
	f.Fuzz(func(t *testing.T, body []byte, keepOriginals bool) {
		if traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body); err == nil {
			for _, resource := range traces.ResourceSpans().All() {
				for _, scope := range resource.ScopeSpans().All() {
					for _, span := range scope.Spans().All() {
						if n.Span(resource.Resource().Attributes(), scope.Scope(), span, facts) {
							n.Write(span.Attributes(), facts, keepOriginals)
							isWritten(t, n, span.Attributes(), facts)
						}
					}
				}
			}
		}
		if logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(body); err == nil {
			for _, resource := range logs.ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					for _, record := range scope.LogRecords().All() {
						if n.Log(resource.Resource().Attributes(), scope.Scope(), record, facts) {
							n.Write(record.Attributes(), facts, keepOriginals)
							isWritten(t, n, record.Attributes(), facts)
						}
					}
				}
			}
		}
	})
}

// FuzzText takes any text through everything that reads texts.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		conversation, `{'a': [1, (2,), {3}, b'x', -1.5e3, 1+2j, "\x41\u00e9\ud800"]}`, `{"args": [], "kwargs": {"a": "\ud83d\ude00"}}`,
		"a.0.name\x1ex\x1fa.0.arguments\x1e{}", `{"input_str": "{'a': 1}"}`, `[NaN, -Infinity, 1e400, -0]`, "a, b c", " TRUE ", "\xff\xed\xa0\x80",
	} {
		f.Add(seed)
	}
	some, err := newPath("$.args[0]")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		request(text)
		toolCalls(text)
		names(text)
		_, _ = truth(text)
		number(text)
		lower(text)
		some.find(text)
		digest(text, nil)
		if made := arguments(text); made != text && arguments(made) == "" {
			t.Errorf("%q became nothing", text)
		}
	})
}
