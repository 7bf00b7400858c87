package actorscopeprocessor

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadata"
	"github.com/actorscope/actorscope/collector/normalise"
	"github.com/actorscope/actorscope/collector/privacy"
	"github.com/actorscope/actorscope/collector/semconv"
)

// work is what one batch needs and counts.
type work struct {
	facts    *normalise.Facts
	span     spanRecord
	log      logRecord
	dialects map[string]int64
	isMarked bool // a record of this scope

	done, foreign, failed, withheld int64
	cut, dropped, redacted, masked  int64
	contentsDropped                 int64
}

func (w *work) changed(c privacy.Changes) {
	w.cut += int64(c.AttributesCut)
	w.dropped += int64(c.AttributesDropped)
	w.redacted += int64(c.ValuesRedacted)
	w.masked += int64(c.ContentsMasked)
}

// telemetry tells what was done, with attributes that are made once.
type telemetry struct {
	builder                         *metadata.TelemetryBuilder
	done, foreign, failed, withheld metric.MeasurementOption
	dialects                        map[string]metric.MeasurementOption
}

func newTelemetry(builder *metadata.TelemetryBuilder, rules *semconv.Rules, signal string) *telemetry {
	option := func(outcome, dialect string) metric.MeasurementOption {
		pairs := []attribute.KeyValue{attribute.String("otel.signal", signal), attribute.String("outcome", outcome)}
		if dialect != "" {
			pairs = append(pairs, attribute.String("dialect", dialect))
		}
		return metric.WithAttributeSet(attribute.NewSet(pairs...))
	}
	t := &telemetry{
		builder:  builder,
		done:     option("done_before", ""),
		foreign:  option("no_dialect", ""),
		failed:   option("failed", ""),
		withheld: option("withheld", ""),
		dialects: map[string]metric.MeasurementOption{"": option("normalised", "other")},
	}
	for _, dialect := range rules.Dialects {
		t.dialects[dialect.Name] = option("normalised", dialect.Name)
	}
	return t
}

// add counts a batch and makes the work ready for the next.
func (t *telemetry) add(ctx context.Context, w *work) {
	records := t.builder.ProcessorActorscopeRecords
	for dialect, count := range w.dialects {
		option, ok := t.dialects[dialect]
		if !ok {
			option = t.dialects[""]
		}
		add(ctx, records, count, option)
	}
	add(ctx, records, w.done, t.done)
	add(ctx, records, w.foreign, t.foreign)
	add(ctx, records, w.failed, t.failed)
	add(ctx, records, w.withheld, t.withheld)
	add(ctx, t.builder.ProcessorActorscopeValuesCut, w.cut)
	add(ctx, t.builder.ProcessorActorscopeAttributesDropped, w.dropped)
	add(ctx, t.builder.ProcessorActorscopeValuesRedacted, w.redacted)
	add(ctx, t.builder.ProcessorActorscopeContentsMasked, w.masked)
	add(ctx, t.builder.ProcessorActorscopeContentsDropped, w.contentsDropped)
	clear(w.dialects)
	*w = work{facts: w.facts, dialects: w.dialects}
}

func add(ctx context.Context, counter metric.Int64Counter, count int64, options ...metric.AddOption) {
	if count > 0 {
		counter.Add(ctx, count, options...)
	}
}
