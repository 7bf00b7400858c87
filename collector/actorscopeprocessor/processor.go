package actorscopeprocessor

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/actorscope/actorscope/collector/actorscopeprocessor/internal/metadata"
	"github.com/actorscope/actorscope/collector/normalise"
	"github.com/actorscope/actorscope/collector/privacy"
	"github.com/actorscope/actorscope/collector/semconv"
)

// room is how many attributes more a record may have that was done before: canonical ones, originals and marks.
const room = 256

// policy is what hides; privacy.Policy, or one that fails in tests.
type policy interface {
	Span(span ptrace.Span) privacy.Changes
	Log(record plog.LogRecord) privacy.Changes
	Resource(resource pcommon.Resource) privacy.Changes
	Scope(scope pcommon.InstrumentationScope) privacy.Changes
	DropContent(span ptrace.Span) int
	DropContentLog(record plog.LogRecord) int
}

// rules is what finds and writes facts; normalise.Normaliser, or one that fails in tests.
type rules interface {
	NewFacts() *normalise.Facts
	Span(resource pcommon.Map, scope pcommon.InstrumentationScope, span ptrace.Span, f *normalise.Facts) bool
	Log(resource pcommon.Map, scope pcommon.InstrumentationScope, record plog.LogRecord, f *normalise.Facts) bool
	Write(attributes pcommon.Map, f *normalise.Facts, keepOriginals bool)
}

type actorscopeProcessor struct {
	logger        *zap.Logger
	keepOriginals bool
	content       string
	policy        policy
	again         policy // for records that were done before
	rules         rules
	version       string // of the rules
	work          sync.Pool
	told          *telemetry
}

func newProcessor(set processor.Settings, config *Config, signal string) (*actorscopeProcessor, error) {
	shipped, err := semconv.Load()
	if err != nil {
		return nil, err
	}
	key, err := config.key()
	if err != nil {
		return nil, err
	}
	normaliser, err := normalise.New(shipped)
	if err != nil {
		return nil, err
	}
	first, err := privacy.New(config.privacy(key, 0), shipped)
	if err != nil {
		return nil, err
	}
	again, err := privacy.New(config.privacy(key, room), shipped)
	if err != nil {
		return nil, err
	}
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &actorscopeProcessor{
		logger:        set.Logger,
		keepOriginals: config.KeepOriginals,
		content:       config.Content,
		policy:        first,
		again:         again,
		rules:         normaliser,
		version:       path.Base(semconv.SchemaURL),
		told:          newTelemetry(builder, shipped, signal),
	}
	p.work.New = func() any { return &work{facts: p.rules.NewFacts(), dialects: map[string]int64{}} }
	return p, nil
}

func (p *actorscopeProcessor) shutdown(context.Context) error {
	p.told.builder.Shutdown()
	return nil
}

func (p *actorscopeProcessor) traces(ctx context.Context, traces ptrace.Traces) (ptrace.Traces, error) {
	w := p.work.Get().(*work)
	traces.ResourceSpans().RemoveIf(func(group ptrace.ResourceSpans) bool {
		resource := group.Resource().Attributes()
		if !p.resource(w, group.Resource()) {
			w.withheld += countSpans(group)
			return true
		}
		group.ScopeSpans().RemoveIf(func(scoped ptrace.ScopeSpans) bool {
			if !p.scope(w, scoped.Scope()) {
				w.withheld += int64(scoped.Spans().Len())
				return true
			}
			scoped.Spans().RemoveIf(func(span ptrace.Span) bool {
				w.span.span = span
				return !p.record(w, resource, scoped.Scope(), &w.span)
			})
			p.sign(w, scoped.Scope())
			return false
		})
		return false
	})
	p.told.add(ctx, w)
	p.work.Put(w)
	return traces, nil
}

func (p *actorscopeProcessor) logs(ctx context.Context, logs plog.Logs) (plog.Logs, error) {
	w := p.work.Get().(*work)
	logs.ResourceLogs().RemoveIf(func(group plog.ResourceLogs) bool {
		resource := group.Resource().Attributes()
		if !p.resource(w, group.Resource()) {
			w.withheld += countLogs(group)
			return true
		}
		group.ScopeLogs().RemoveIf(func(scoped plog.ScopeLogs) bool {
			if !p.scope(w, scoped.Scope()) {
				w.withheld += int64(scoped.LogRecords().Len())
				return true
			}
			scoped.LogRecords().RemoveIf(func(record plog.LogRecord) bool {
				w.log.log = record
				return !p.record(w, resource, scoped.Scope(), &w.log)
			})
			p.sign(w, scoped.Scope())
			return false
		})
		return false
	})
	p.told.add(ctx, w)
	p.work.Put(w)
	return logs, nil
}

// resource applies the policy to what records share; false where that failed and nothing below may pass.
func (p *actorscopeProcessor) resource(w *work, resource pcommon.Resource) bool {
	return p.safely("hiding", func() { w.changed(p.policy.Resource(resource)) })
}

// scope does the same; what an earlier processor said there must not be cut.
func (p *actorscopeProcessor) scope(w *work, scope pcommon.InstrumentationScope) bool {
	policy := p.policy
	if _, done := scope.Attributes().Get(semconv.EdgeVersion); done {
		policy = p.again
	}
	w.isMarked = false
	return p.safely("hiding", func() { w.changed(policy.Scope(scope)) })
}

// sign says once for all records of a scope by which rules they were marked.
func (p *actorscopeProcessor) sign(w *work, scope pcommon.InstrumentationScope) {
	if w.isMarked {
		scope.Attributes().PutStr(semconv.EdgeVersion, p.version)
	}
}

// record does all that is done to one span or log record; false where it must not pass.
//
// Rules that fail cost a record its facts. A policy that fails costs the record: it could say what must not be said.
// The mark of a record that was done before saves the rules their work, but not the policy: anybody can set a mark.
func (p *actorscopeProcessor) record(
	w *work, resource pcommon.Map, scope pcommon.InstrumentationScope, r record,
) bool {
	_, done := r.attributes().Get(semconv.EdgeDialect)
	policy := p.policy
	if done {
		policy = p.again
	}
	var changes privacy.Changes
	if !p.safely("hiding", func() { changes = r.hide(policy) }) {
		w.withheld++
		return false
	}
	w.changed(changes)
	speaks := done
	if !done {
		ok := p.safely("normalising", func() {
			if speaks = r.read(p.rules, resource, scope, w.facts); speaks {
				p.rules.Write(r.attributes(), w.facts, p.keepOriginals)
			}
		})
		switch {
		case !ok:
			r.attributes().Remove(semconv.EdgeDialect) // what is half written is no one's word
			speaks = false
			w.failed++
		case speaks:
			w.dialects[w.facts.Dialect()]++
			w.isMarked = true
		default:
			w.foreign++
		}
	} else {
		w.done++
	}
	if p.content == contentDrop && !p.safely("dropping content", func() { w.contentsDropped += int64(r.drop(policy)) }) {
		w.withheld++
		return false
	}
	if speaks {
		p.mark(r.attributes(), changes.ValuesRedacted)
	}
	return true
}

// mark says on the record what was hidden.
func (p *actorscopeProcessor) mark(attributes pcommon.Map, redacted int) {
	if redacted > 0 {
		// What was redacted before is counted again by a second processor: the greater number is the true one.
		if before, ok := attributes.Get(semconv.EdgeRedactedCount); ok && before.Type() == pcommon.ValueTypeInt {
			redacted = max(redacted, int(before.Int()))
		}
		attributes.PutInt(semconv.EdgeRedactedCount, int64(redacted))
	}
	switch p.content {
	case contentDrop:
		attributes.PutStr(semconv.EdgeContent, "dropped")
	case contentFingerprint:
		if value, ok := attributes.Get(semconv.EdgeContent); !ok || value.AsString() != "dropped" {
			attributes.PutStr(semconv.EdgeContent, "fingerprinted")
		}
	}
}

// safely does a step; false where it panicked. What it panicked with may quote the record, so only errors of the runtime are told.
func (p *actorscopeProcessor) safely(what string, step func()) (ok bool) {
	defer func() {
		if found := recover(); found != nil {
			said := fmt.Sprintf("%T", found)
			if known, is := found.(runtime.Error); is {
				said = known.Error()
			}
			p.logger.Error("A record could not be processed.", zap.String("step", what), zap.String("panic", said), zap.Stack("stack"))
		}
	}()
	step()
	return true
}
