package actorscopeprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/normalise"
	"github.com/actorscope/actorscope/collector/privacy"
)

// record is a span or a log record.
type record interface {
	attributes() pcommon.Map
	hide(policy) privacy.Changes
	drop(policy) int
	read(rules, pcommon.Map, pcommon.InstrumentationScope, *normalise.Facts) bool
}

type spanRecord struct{ span ptrace.Span }

func (r *spanRecord) attributes() pcommon.Map       { return r.span.Attributes() }
func (r *spanRecord) hide(p policy) privacy.Changes { return p.Span(r.span) }
func (r *spanRecord) drop(p policy) int             { return p.DropContent(r.span) }

func (r *spanRecord) read(n rules, resource pcommon.Map, scope pcommon.InstrumentationScope, f *normalise.Facts) bool {
	return n.Span(resource, scope, r.span, f)
}

type logRecord struct{ log plog.LogRecord }

func (r *logRecord) attributes() pcommon.Map       { return r.log.Attributes() }
func (r *logRecord) hide(p policy) privacy.Changes { return p.Log(r.log) }
func (r *logRecord) drop(p policy) int             { return p.DropContentLog(r.log) }

func (r *logRecord) read(n rules, resource pcommon.Map, scope pcommon.InstrumentationScope, f *normalise.Facts) bool {
	return n.Log(resource, scope, r.log, f)
}

func countSpans(group ptrace.ResourceSpans) (count int64) {
	for _, scoped := range group.ScopeSpans().All() {
		count += int64(scoped.Spans().Len())
	}
	return count
}

func countLogs(group plog.ResourceLogs) (count int64) {
	for _, scoped := range group.ScopeLogs().All() {
		count += int64(scoped.LogRecords().Len())
	}
	return count
}
