package actorscopeprocessor

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadatatest"
	"github.com/actorscope/actorscope/collector/normalise"
	"github.com/actorscope/actorscope/collector/privacy"
)

type brokenRules struct{ rules }

func (brokenRules) Span(pcommon.Map, pcommon.InstrumentationScope, ptrace.Span, *normalise.Facts) bool {
	panic("a rule that fails")
}

type brokenPolicy struct {
	policy
	worst string
}

func (b brokenPolicy) Span(span ptrace.Span) privacy.Changes {
	if b.worst == "span" && span.Name() == "send_refund" {
		panic("a pattern that fails")
	}
	return b.policy.Span(span)
}

func (b brokenPolicy) Resource(resource pcommon.Resource) privacy.Changes {
	if b.worst == "resource" {
		panic("a pattern that fails")
	}
	return b.policy.Resource(resource)
}

func point(count int64, outcome, dialect string) metricdata.DataPoint[int64] {
	pairs := []attribute.KeyValue{attribute.String("otel.signal", "traces"), attribute.String("outcome", outcome)}
	if dialect != "" {
		pairs = append(pairs, attribute.String("dialect", dialect))
	}
	return metricdata.DataPoint[int64]{Value: count, Attributes: attribute.NewSet(pairs...)}
}

// broken processes the spans of testdata with something that fails and tells what was counted.
func broken(t *testing.T, change func(*actorscopeProcessor)) (ptrace.Traces, *componenttest.Telemetry) {
	t.Helper()
	told := componenttest.NewTelemetry()
	p, err := newProcessor(metadatatest.NewSettings(told), createDefaultConfig().(*Config), "traces")
	require.NoError(t, err)
	change(p)
	traces, err := golden.ReadTraces(filepath.Join("testdata", "traces-in.yaml"))
	require.NoError(t, err)
	found, err := p.traces(context.Background(), traces)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, told.Shutdown(context.Background())) })
	return found, told
}

func TestRulesThatFailCostNoRecord(t *testing.T) {
	found, told := broken(t, func(p *actorscopeProcessor) { p.rules = brokenRules{p.rules} })
	require.NoError(t, ptracetest.CompareTraces(readTraces(t), found))
	metadatatest.AssertEqualProcessorActorscopeRecords(t, told,
		[]metricdata.DataPoint[int64]{point(4, "failed", "")}, metricdatatest.IgnoreTimestamp())
}

func TestWhatCouldNotBeHiddenIsWithheld(t *testing.T) {
	found, told := broken(t, func(p *actorscopeProcessor) { p.policy = brokenPolicy{p.policy, "span"} })
	assert.Equal(t, 3, found.SpanCount())
	metadatatest.AssertEqualProcessorActorscopeRecords(t, told, []metricdata.DataPoint[int64]{
		point(2, "normalised", "langgraph"), point(1, "no_dialect", ""), point(1, "withheld", ""),
	}, metricdatatest.IgnoreTimestamp())
}

func TestNothingPassesBelowAResourceThatCouldNotBeHidden(t *testing.T) {
	found, told := broken(t, func(p *actorscopeProcessor) { p.policy = brokenPolicy{p.policy, "resource"} })
	assert.Equal(t, 0, found.SpanCount())
	metadatatest.AssertEqualProcessorActorscopeRecords(t, told,
		[]metricdata.DataPoint[int64]{point(4, "withheld", "")}, metricdatatest.IgnoreTimestamp())
}
