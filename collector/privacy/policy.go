// Package privacy decides what of a record may go on: too much is cut, what must not be kept is redacted, content may become fingerprints.
//
// It does to each record what the ingester does to requests, with the same results under the same key. What differs in patterns
// that users write is said in pattern.go.
package privacy

import (
	"errors"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

// Config says what is cut, redacted and masked.
type Config struct {
	// MaxAttributes is how many attributes anything may have; MaxValueBytes how long a text or byte value may be. 0 is any number.
	MaxAttributes, MaxValueBytes int
	// RedactKeys are globs, whatever their case; RedactPatterns regular expressions; RedactPresets names of shipped ones.
	RedactKeys, RedactPatterns, RedactPresets []string
	// FingerprintKey is the key under which content becomes fingerprints; without one it is kept.
	FingerprintKey []byte
}

// Changes counts what was done, by kind.
type Changes struct {
	AttributesCut, AttributesDropped, ValuesRedacted, ContentsMasked int
}

// Add counts what was done elsewhere too.
func (c *Changes) Add(other Changes) {
	c.AttributesCut += other.AttributesCut
	c.AttributesDropped += other.AttributesDropped
	c.ValuesRedacted += other.ValuesRedacted
	c.ContentsMasked += other.ContentsMasked
}

// Policy is the rules of one processor; it never changes and may be used by many at once.
type Policy struct {
	attributes, valueBytes int
	redactor               *redactor
	content                *content
	mask                   *mask
	keys                   memory[*known]
	isLimited, knowsKeys   bool
}

// New makes a policy. The error names everything that is wrong.
func New(config Config, rules *semconv.Rules) (*Policy, error) {
	redactor, wrong := newRedactor(config, rules.RedactPresets)
	content, err := newContent(rules)
	if err := errors.Join(wrong, err); err != nil {
		return nil, err
	}
	p := &Policy{attributes: config.MaxAttributes, valueBytes: config.MaxValueBytes, redactor: redactor, content: content}
	p.isLimited = p.attributes > 0 || p.valueBytes > 0
	p.knowsKeys = len(redactor.globs) > 0 || config.FingerprintKey != nil
	if p.attributes <= 0 {
		p.attributes = math.MaxInt
	}
	if p.valueBytes <= 0 {
		p.valueBytes = math.MaxInt
	}
	if config.FingerprintKey != nil {
		p.mask = newMask(config.FingerprintKey, content)
	}
	p.keys.of = func(key string) *known {
		info := content.known(key)
		info.isHidden = redactor.hides(key)
		return info
	}
	return p, nil
}

// Idle says that there is nothing to do, to no record.
func (p *Policy) Idle() bool { return !p.isLimited && p.mask == nil && p.redactor.isIdle() }

// IsContent says whether an attribute of this key carries what somebody said.
func (p *Policy) IsContent(key string) bool { return p.keys.get(key).isContent }

// Span changes a span with its events and links.
func (p *Policy) Span(span ptrace.Span) Changes {
	w := work{policy: p}
	if p.Idle() {
		return w.changes
	}
	if old := span.Name(); old != "" {
		if name := w.clean(old); name != old {
			span.SetName(name)
		}
	}
	if old := span.Status().Message(); old != "" {
		if message := w.clean(old); message != old {
			span.Status().SetMessage(message)
		}
	}
	w.print(p.mask)
	holder(&w, span)
	w.finish(span.Attributes())
	for i := range span.Events().Len() {
		event := span.Events().At(i)
		if old := event.Name(); old != "" {
			if name := w.clean(old); name != old {
				event.SetName(name)
			}
		}
		holder(&w, event)
		w.finish(event.Attributes())
	}
	for i := range span.Links().Len() {
		link := span.Links().At(i)
		holder(&w, link)
		w.finish(link.Attributes())
	}
	return w.changes
}

// Log changes a log record.
func (p *Policy) Log(record plog.LogRecord) Changes {
	w := work{policy: p}
	if p.Idle() {
		return w.changes
	}
	w.print(p.mask)
	said := p.eventName(record)
	holder(&w, record)
	if p.mask != nil && record.Body().Type() != pcommon.ValueTypeEmpty && p.content.isBody(said) {
		w.masked(bodyKey, p.keys.get(bodyKey), record.Body())
	}
	w.value(bodyKey, record.Body())
	w.finish(record.Attributes())
	return w.changes
}

// Resource changes the attributes of a resource.
func (p *Policy) Resource(resource pcommon.Resource) Changes { return other(p, resource) }

// Scope changes the attributes of an instrumentation scope.
func (p *Policy) Scope(scope pcommon.InstrumentationScope) Changes { return other(p, scope) }

func other[H holding](p *Policy, held H) Changes {
	w := work{policy: p}
	if !p.Idle() {
		holder(&w, held)
		w.finish(held.Attributes())
	}
	return w.changes
}

// eventName is the name of the event that a record says, as its key may be seen.
func (p *Policy) eventName(record plog.LogRecord) string {
	if name := record.EventName(); name != "" {
		return name
	}
	n := 0
	for key, value := range record.Attributes().All() {
		if n++; n > p.attributes {
			break
		}
		if key == eventNameKey {
			if p.keys.get(key).isHidden {
				return Redacted
			}
			if value.Type() == pcommon.ValueTypeStr {
				return value.Str()
			}
			break
		}
	}
	return ""
}
