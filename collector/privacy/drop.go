package privacy

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

// DropContent removes the attributes of a span, its events and its links that carry content, also where other facts stood
// beside it: those were read before. It gives their number. Fingerprints and digests stay.
func (p *Policy) DropContent(span ptrace.Span) int {
	dropped := p.drop(span.Attributes())
	for i := range span.Events().Len() {
		dropped += p.drop(span.Events().At(i).Attributes())
	}
	for i := range span.Links().Len() {
		dropped += p.drop(span.Links().At(i).Attributes())
	}
	return dropped
}

// DropContentLog removes the same from a log record, and its body where that is content.
func (p *Policy) DropContentLog(record plog.LogRecord) int {
	dropped := 0
	if record.Body().Type() != pcommon.ValueTypeEmpty && p.content.isBody(p.eventName(record)) {
		pcommon.NewValueEmpty().CopyTo(record.Body())
		dropped++
	}
	return dropped + p.drop(record.Attributes())
}

func (p *Policy) drop(attributes pcommon.Map) int {
	before := attributes.Len()
	attributes.RemoveIf(func(key string, _ pcommon.Value) bool {
		switch key {
		case semconv.Request, semconv.DecisionCallList, canonicalArguments, canonicalResult:
			return true
		}
		return p.IsContent(key)
	})
	return before - attributes.Len()
}

const (
	canonicalArguments = "gen_ai.tool.call.arguments"
	canonicalResult    = "gen_ai.tool.call.result"
)
