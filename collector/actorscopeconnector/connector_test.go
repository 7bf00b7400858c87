package actorscopeconnector

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/actorscopeconnector/internal/metadata"
	"github.com/actorscope/actorscope/collector/semconv"
)

// marked is what the processor leaves: canonical attributes and the mark.
type marked map[string]any

func start(t *testing.T, change func(*Config)) (connector.Traces, *consumertest.MetricsSink) {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.FlushInterval = time.Hour
	change(config)
	sink := new(consumertest.MetricsSink)
	c, err := NewFactory().CreateTracesToMetrics(context.Background(), connectortest.NewNopSettings(metadata.Type), config, sink)
	require.NoError(t, err)
	require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
	return c, sink
}

// spans is one batch; the first span is the parent of the others.
func spans(service string, all ...marked) ptrace.Traces {
	traces := ptrace.NewTraces()
	group := traces.ResourceSpans().AppendEmpty()
	group.Resource().Attributes().PutStr("service.name", service)
	scoped := group.ScopeSpans().AppendEmpty()
	for i, said := range all {
		span := scoped.Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{byte(i + 1)})
		if i > 0 {
			span.SetParentSpanID(pcommon.SpanID{1})
		}
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		span.Attributes().PutStr(semconv.EdgeDialect, "otel_genai")
		if err := span.Attributes().FromRaw(mapsOf(said)); err != nil {
			panic(err)
		}
		if _, ok := said["error.type"]; ok {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	return traces
}

func mapsOf(said marked) map[string]any {
	all := map[string]any{semconv.EdgeDialect: "otel_genai"}
	for key, value := range said {
		all[key] = value
	}
	return all
}

// counted sends the batches, stops the connector and tells the last export as `name{values of attributes} number`.
func counted(t *testing.T, change func(*Config), batches ...ptrace.Traces) map[string]float64 {
	t.Helper()
	c, sink := start(t, change)
	for _, batch := range batches {
		require.NoError(t, c.ConsumeTraces(context.Background(), batch))
	}
	require.NoError(t, c.Shutdown(context.Background()))
	all := sink.AllMetrics()
	require.NotEmpty(t, all)
	return told(all[len(all)-1])
}

func told(metrics pmetric.Metrics) map[string]float64 {
	found := map[string]float64{}
	for _, metric := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		for _, point := range metric.Sum().DataPoints().All() {
			var values []string
			for _, value := range point.Attributes().All() {
				values = append(values, value.AsString())
			}
			number := point.DoubleValue()
			if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
				number = float64(point.IntValue())
			}
			found[fmt.Sprintf("%s{%s}", strings.TrimPrefix(metric.Name(), "actorscope."), strings.Join(values, ","))] = number
		}
	}
	delete(found, "connector.overflow{}")
	return found
}

func unchanged(*Config) {}

func TestARunIsCounted(t *testing.T) {
	run := spans("desk",
		marked{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refunds", "gen_ai.usage.input_tokens": 900, "actorscope.cost.amount": 0.5},
		marked{
			"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 900, "gen_ai.usage.cache_read.input_tokens": 600,
			"gen_ai.usage.output_tokens": 80, "gen_ai.usage.reasoning.output_tokens": 30, "actorscope.cost.amount": 0.25,
		},
		marked{"gen_ai.operation.name": "execute_tool", "actorscope.action.side_effect": "write", "actorscope.authz.outcome": "allow"},
		marked{"gen_ai.operation.name": "execute_tool", "actorscope.action.side_effect": "destructive", "actorscope.authz.outcome": "deny", "error.type": "denied"},
		marked{"gen_ai.operation.name": "handoff", "actorscope.delegation.delegate.name": "billing", "actorscope.delegation.mode": "pass_control"},
	)
	assert.Equal(t, map[string]float64{
		"runs{desk,refunds}":                     1,
		"tokens{desk,refunds,input}":             300,
		"tokens{desk,refunds,cached}":            600,
		"tokens{desk,refunds,output}":            50,
		"tokens{desk,refunds,reasoning}":         30,
		"cost{desk,refunds,USD}":                 0.25,
		"actions{desk,refunds,write}":            1,
		"actions.denied{desk,refunds,enforce}":   1,
		"errors{desk,refunds,execute_tool}":      1,
		"delegations{desk,refunds,pass_control}": 1,
	}, counted(t, unchanged, run))
}

func TestSumsAreNotCountedWithTheirParts(t *testing.T) {
	found := counted(t, unchanged, spans("desk",
		marked{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a", "actorscope.cost.amount": 1.0, "actorscope.cost.basis": "self"},
		marked{"gen_ai.operation.name": "chat", "actorscope.cost.amount": 2.0, "actorscope.cost.basis": "aggregate"},
		marked{"gen_ai.operation.name": "step", "actorscope.cost.amount": 4.0},
		marked{"gen_ai.operation.name": "chat", "actorscope.cost.amount": 8.0, "actorscope.cost.currency": "eur"},
		marked{"gen_ai.operation.name": "chat", "actorscope.cost.amount": 16.0, "actorscope.cost.currency": "bananas"},
	))
	assert.Equal(t, map[string]float64{"runs{desk,a}": 1, "cost{desk,a,USD}": 1, "cost{desk,a,EUR}": 8, "cost{desk,a,other}": 16}, found)
}

func TestApprovalsThatDoNotCover(t *testing.T) {
	tool := func(more marked) marked {
		more["gen_ai.operation.name"], more["gen_ai.agent.name"], more["actorscope.action.side_effect"] = "execute_tool", "a", "write"
		return more
	}
	found := counted(t, unchanged, spans("s",
		tool(marked{"actorscope.authz.outcome": "require_approval"}),
		tool(marked{"actorscope.approval.status": "rejected"}),
		tool(marked{"actorscope.approval.status": "expired", "error.type": "gone"}),
		tool(marked{"actorscope.authz.outcome": "require_approval", "actorscope.approval.id": "a-1"}),
		tool(marked{"actorscope.authz.outcome": "require_approval", "actorscope.approval.status": "approved"}),
		tool(marked{"actorscope.approval.status": "approved", "actorscope.approval.approver.id": "a", "actorscope.approval.approver.type": "agent"}),
		tool(marked{"actorscope.approval.status": "approved", "actorscope.approval.expires_at": "2026-01-02T03:00:00Z"}),
		tool(marked{"actorscope.authz.outcome": "require_approval", "actorscope.span.state": "waiting"}),
		tool(marked{"actorscope.authz.outcome": "require_approval", "actorscope.action.replayed": true}),
	))
	for name, number := range found {
		if !strings.HasPrefix(name, "actions.unapproved") {
			delete(found, name)
		} else {
			assert.Equal(t, 1.0, number)
		}
	}
	assert.Len(t, found, 4)
	for _, fault := range []string{"missing", "rejected", "own", "ended"} {
		assert.Contains(t, found, "actions.unapproved{s,a,write,"+fault+"}")
	}
}

func TestNoticesThatWorkBeganAreNotWork(t *testing.T) {
	found := counted(t, unchanged, spans("s", marked{"gen_ai.operation.name": "invoke_agent", "actorscope.span.state": "started"}))
	assert.Empty(t, found)
}

func TestTheNumberOfActorsIsBounded(t *testing.T) {
	var batches []ptrace.Traces
	for i := range 30 {
		batches = append(batches, spans("s", marked{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": fmt.Sprint("agent-", i)}))
	}
	c, sink := start(t, func(c *Config) { c.MaxActors = 10 })
	for _, batch := range batches {
		require.NoError(t, c.ConsumeTraces(context.Background(), batch))
	}
	require.NoError(t, c.Shutdown(context.Background()))
	metrics := sink.AllMetrics()[0]
	found := told(metrics)
	assert.Len(t, found, 11)
	assert.Equal(t, 20.0, found["runs{other,other}"])
	for _, metric := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if metric.Name() == "actorscope.connector.overflow" {
			assert.Equal(t, int64(20), metric.Sum().DataPoints().At(0).IntValue())
		}
	}
}

func TestCurrenciesAreBounded(t *testing.T) {
	var all []marked
	for i := range 26 {
		currency := string([]byte{'A', 'A', byte('A' + i)})
		all = append(all, marked{"gen_ai.operation.name": "chat", "actorscope.cost.amount": 1.0, "actorscope.cost.currency": currency})
	}
	found := counted(t, unchanged, spans("s", all...))
	assert.Len(t, found, mostCurrencies+1)
	assert.Equal(t, 10.0, found["cost{s,,other}"])
}

func TestCountsAreCumulative(t *testing.T) {
	c, sink := start(t, func(c *Config) { c.FlushInterval = 10 * time.Millisecond })
	run := marked{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
	require.NoError(t, c.ConsumeTraces(context.Background(), spans("s", run)))
	assert.Eventually(t, func() bool { return len(sink.AllMetrics()) >= 2 }, 10*time.Second, time.Millisecond)
	require.NoError(t, c.ConsumeTraces(context.Background(), spans("s", run)))
	require.NoError(t, c.Shutdown(context.Background()))
	all := sink.AllMetrics()
	assert.Equal(t, 2.0, told(all[len(all)-1])["runs{s,a}"])
	first := all[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum()
	last := all[len(all)-1].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum()
	assert.Equal(t, pmetric.AggregationTemporalityCumulative, last.AggregationTemporality())
	assert.True(t, last.IsMonotonic())
	assert.Equal(t, first.DataPoints().At(0).StartTimestamp(), last.DataPoints().At(0).StartTimestamp())
}

func TestSlotsAndWordsAgree(t *testing.T) {
	assert.Len(t, effects, effectCount)
	assert.Len(t, faults, faultCount)
	assert.Len(t, modes, errorsAt-delegationsAt)
	assert.Len(t, operations, slots-errorsAt)
	for i, word := range effects {
		assert.Equal(t, word, effectOf(i).String())
	}
	for i, word := range faults {
		assert.Equal(t, word, metadata.AttributeActorscopeApprovalFault(i+1).String())
	}
}

// TestOperationsAreThoseOfTheRules: a new operation needs a slot of its own.
func TestOperationsAreThoseOfTheRules(t *testing.T) {
	rules, err := semconv.Load()
	require.NoError(t, err)
	for _, dialect := range rules.Dialects {
		for _, rule := range dialect.Rules {
			if rule.Column == "operation" {
				for _, word := range rule.Values {
					assert.Contains(t, operations, word)
				}
				if rule.Constant != nil {
					assert.Contains(t, operations, *rule.Constant)
				}
			}
		}
	}
}
