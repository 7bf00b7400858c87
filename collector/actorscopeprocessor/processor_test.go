package actorscopeprocessor

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadata"
	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadatatest"
	"github.com/actorscope/actorscope/collector/semconv"
)

// cases are configurations by the name of what they expect in testdata; UPDATE_GOLDEN=1 writes that anew.
var cases = map[string]func(*Config){
	"keep":        func(*Config) {},
	"canonical":   func(c *Config) { c.KeepOriginals = false },
	"fingerprint": func(c *Config) { c.Content, c.FingerprintKey = contentFingerprint, configopaque.String(testKey) },
	"drop": func(c *Config) {
		c.Content, c.FingerprintKey, c.KeepOriginals = contentDrop, configopaque.String(testKey), false
	},
	"redact": func(c *Config) {
		c.Redact = RedactConfig{Keys: []string{"session.*"}, Patterns: []string{`password is \S+`}, Presets: []string{"emails"}}
		c.Limits.MaxValueKiB = 1
	},
}

func configured(change func(*Config)) *Config {
	config := createDefaultConfig().(*Config)
	change(config)
	return config
}

func processTraces(t *testing.T, config *Config, traces ptrace.Traces) ptrace.Traces {
	t.Helper()
	sink := new(consumertest.TracesSink)
	p, err := NewFactory().CreateTraces(context.Background(), processortest.NewNopSettings(metadata.Type), config, sink)
	require.NoError(t, err)
	require.True(t, p.Capabilities().MutatesData)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, p.ConsumeTraces(context.Background(), traces))
	require.NoError(t, p.Shutdown(context.Background()))
	require.Len(t, sink.AllTraces(), 1)
	return sink.AllTraces()[0]
}

func processLogs(t *testing.T, config *Config, logs plog.Logs) plog.Logs {
	t.Helper()
	sink := new(consumertest.LogsSink)
	p, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(metadata.Type), config, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, p.ConsumeLogs(context.Background(), logs))
	require.NoError(t, p.Shutdown(context.Background()))
	require.Len(t, sink.AllLogs(), 1)
	return sink.AllLogs()[0]
}

func readTraces(t testing.TB) ptrace.Traces {
	t.Helper()
	traces, err := golden.ReadTraces(filepath.Join("testdata", "traces-in.yaml"))
	require.NoError(t, err)
	return traces
}

func TestTraces(t *testing.T) {
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			found := processTraces(t, configured(change), readTraces(t))
			file := filepath.Join("testdata", "traces-"+name+"-out.yaml")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, golden.WriteTracesToFile(file, found))
			}
			expected, err := golden.ReadTraces(file)
			require.NoError(t, err)
			require.NoError(t, ptracetest.CompareTraces(expected, found))
		})
	}
}

func TestLogs(t *testing.T) {
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			logs, err := golden.ReadLogs(filepath.Join("testdata", "logs-in.yaml"))
			require.NoError(t, err)
			found := processLogs(t, configured(change), logs)
			file := filepath.Join("testdata", "logs-"+name+"-out.yaml")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, golden.WriteLogsToFile(file, found))
			}
			expected, err := golden.ReadLogs(file)
			require.NoError(t, err)
			require.NoError(t, plogtest.CompareLogs(expected, found))
		})
	}
}

func TestASecondProcessorChangesNothing(t *testing.T) {
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			once := processTraces(t, configured(change), readTraces(t))
			twice := ptrace.NewTraces()
			once.CopyTo(twice)
			twice = processTraces(t, configured(change), twice)
			require.NoError(t, ptracetest.CompareTraces(once, twice))
		})
	}
}

func TestWhatIsDroppedIsCountedAndTheVersionIsNot(t *testing.T) {
	config := configured(func(c *Config) { c.Limits.MaxAttributes = 1 })
	traces := readTraces(t)
	scope := traces.ResourceSpans().At(0).ScopeSpans().At(0).Scope()
	scope.Attributes().PutStr("kept", "x")
	scope.Attributes().PutStr("dropped", "x")
	found := processTraces(t, config, traces)
	assert.EqualValues(t, 1, found.ResourceSpans().At(0).Resource().DroppedAttributesCount())
	scope = processTraces(t, config, found).ResourceSpans().At(0).ScopeSpans().At(0).Scope()
	assert.EqualValues(t, 1, scope.DroppedAttributesCount())
	_, isSigned := scope.Attributes().Get(semconv.EdgeVersion)
	assert.True(t, isSigned)
}

func TestAMarkDoesNotSaveASenderFromThePolicy(t *testing.T) {
	traces := readTraces(t)
	for _, span := range traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
		span.Attributes().PutStr(semconv.EdgeDialect, "langgraph")
	}
	found := processTraces(t, configured(cases["drop"]), traces)
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(found)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "password")
	assert.NotContains(t, string(text), "Refunded")
}

func TestRecordsAreCountedByWhatBecameOfThem(t *testing.T) {
	told := componenttest.NewTelemetry()
	settings := metadatatest.NewSettings(told)
	p, err := NewFactory().CreateTraces(context.Background(), settings, configured(cases["redact"]), consumertest.NewNop())
	require.NoError(t, err)
	traces := readTraces(t)
	traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).Attributes().PutStr(semconv.EdgeDialect, "langgraph")
	require.NoError(t, p.ConsumeTraces(context.Background(), traces))
	metadatatest.AssertEqualProcessorActorscopeRecords(t, told, []metricdata.DataPoint[int64]{
		point(2, "normalised", "langgraph"), point(1, "done_before", ""), point(1, "no_dialect", ""),
	}, metricdatatest.IgnoreTimestamp())
	redacted, err := told.GetMetric("otelcol_processor_actorscope_values_redacted")
	require.NoError(t, err)
	assert.Positive(t, redacted.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
	require.NoError(t, told.Shutdown(context.Background()))
}
