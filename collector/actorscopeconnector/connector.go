package actorscopeconnector

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/actorscope/actorscope/collector/actorscopeconnector/internal/metadata"
	"github.com/actorscope/actorscope/collector/normalise"
	"github.com/actorscope/actorscope/collector/semconv"
)

type actorscopeConnector struct {
	logger     *zap.Logger
	next       consumer.Metrics
	normaliser *normalise.Normaliser
	columns    map[string]string // canonical attributes of columns
	batches    sync.Pool
	interval   time.Duration
	finished   chan struct{}
	running    sync.WaitGroup

	mu     sync.Mutex
	book   *book
	writer *metadata.MetricsBuilder
}

func newConnector(set connector.Settings, config *Config, next consumer.Metrics) (*actorscopeConnector, error) {
	rules, err := semconv.Load()
	if err != nil {
		return nil, err
	}
	normaliser, err := normalise.New(rules)
	if err != nil {
		return nil, err
	}
	c := &actorscopeConnector{
		logger:     set.Logger,
		next:       next,
		normaliser: normaliser,
		columns:    map[string]string{},
		interval:   config.FlushInterval,
		finished:   make(chan struct{}),
		book:       newBook(config.MaxActors),
		writer:     metadata.NewMetricsBuilder(config.MetricsBuilderConfig, set),
	}
	for _, column := range rules.Columns {
		c.columns[column.Name] = column.Attribute
	}
	c.batches.New = func() any { return &batch{read: c.normaliser.NewFacts()} }
	return c, nil
}

// Capabilities says that spans are only read.
func (c *actorscopeConnector) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start exports the counts at every interval.
func (c *actorscopeConnector) Start(context.Context, component.Host) error {
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		ticker := time.NewTicker(c.interval)
		defer ticker.Stop()
		for {
			select {
			case <-c.finished:
				return
			case <-ticker.C:
				if err := c.flush(context.Background()); err != nil {
					c.logger.Error("The counts could not be exported; the next export holds them too.", zap.Error(err))
				}
			}
		}
	}()
	return nil
}

// Shutdown exports what was counted since.
func (c *actorscopeConnector) Shutdown(ctx context.Context) error {
	close(c.finished)
	c.running.Wait()
	return c.flush(ctx)
}

// ConsumeTraces counts. It never fails: a record that cannot be read is told of and left out.
func (c *actorscopeConnector) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	b := c.batches.Get().(*batch)
	for _, group := range traces.ResourceSpans().All() {
		resource := group.Resource().Attributes()
		service := text(resource, "service.name")
		for _, scoped := range group.ScopeSpans().All() {
			for _, span := range scoped.Spans().All() {
				c.safely(func() { b.add(service, c.facts(b, resource, scoped.Scope(), span), span) })
			}
		}
	}
	b.name()
	c.mu.Lock()
	c.book.post(b)
	c.mu.Unlock()
	b.reset()
	c.batches.Put(b)
	return nil
}

// facts are what is known of a span, from canonical attributes where the processor wrote them; nil where it speaks no dialect.
func (c *actorscopeConnector) facts(
	b *batch, resource pcommon.Map, scope pcommon.InstrumentationScope, span ptrace.Span,
) facts {
	if _, done := span.Attributes().Get(semconv.EdgeDialect); done {
		return canonical{span.Attributes(), c.columns}
	}
	if !c.normaliser.Span(resource, scope, span, b.read) {
		return nil
	}
	return b.read
}

func (c *actorscopeConnector) safely(step func()) {
	defer func() {
		if found := recover(); found != nil {
			c.logger.Error("A span could not be counted.", zap.Stack("stack"))
		}
	}()
	step()
}

func (c *actorscopeConnector) flush(ctx context.Context) error {
	c.mu.Lock()
	c.book.write(c.writer, pcommon.NewTimestampFromTime(time.Now()))
	metrics := c.writer.Emit()
	c.mu.Unlock()
	if metrics.DataPointCount() == 0 {
		return nil
	}
	return c.next.ConsumeMetrics(ctx, metrics)
}
