package actorscopeprocessor

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadatatest"
)

// BenchmarkSpan processes batches of 512 spans; numbers are per span.
func BenchmarkSpan(b *testing.B) {
	for name, change := range cases {
		b.Run(name, func(b *testing.B) {
			told := componenttest.NewTelemetry()
			p, err := newProcessor(metadatatest.NewSettings(told), configured(change), "traces")
			require.NoError(b, err)
			read, batch := readTraces(b), ptrace.NewTraces()
			for range 128 {
				read.ResourceSpans().At(0).CopyTo(batch.ResourceSpans().AppendEmpty())
			}
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += batch.SpanCount() {
				b.StopTimer()
				one := ptrace.NewTraces()
				batch.CopyTo(one)
				b.StartTimer()
				_, err := p.traces(context.Background(), one)
				require.NoError(b, err)
			}
		})
	}
}
