// Package normalise brings what frameworks say about agents into one form: the rules of all dialects, applied to records
// of pdata, and the canonical attributes that come of it.
//
// The rules are data (package semconv) and the same that the ingester applies; what is right is what ingest/normalise.py
// says, and the tests compare with it. A few things cannot be the same and are harmless: letters that are younger than
// Go's Unicode tables (or Python's), letters by name in Python literals, and texts nested hundreds of levels deep.
package normalise

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

// Normaliser holds the compiled rules. It is immutable and safe for concurrent use.
type Normaliser struct {
	columns   []column
	places    map[string]int
	slots     int
	known     map[string]meaning // of every key that a rule names
	events    map[string]map[string]int
	resources map[string]int
	pseudo    map[string]int
	dialects  []semconv.Dialect
	patterns  []*pattern
	after     after
}

// meaning is what an attribute key says by itself.
type meaning struct {
	slot     int    // where rules find its value; none where no rule asks
	column   int    // the column of which it is the canonical key, or none
	bits     uint64 // the dialects that it reveals
	gathered uint64 // the patterns that gather it
	isMark   bool
}

const serviceName, eventName = "service.name", "event.name"

// New compiles rules. The error names each rule that cannot be done.
func New(rules *semconv.Rules) (*Normaliser, error) {
	if len(rules.Dialects) > 64 {
		return nil, fmt.Errorf("%d dialects: at most 64 can be told apart", len(rules.Dialects))
	}
	b := newBuilder(rules)
	columns, err := b.build()
	n := &Normaliser{
		columns: columns, places: b.filled, slots: b.slots, events: b.events, resources: b.resources,
		pseudo: b.pseudo, dialects: rules.Dialects,
	}
	problems := []error{err}
	if len(b.patterns) > 64 {
		return nil, fmt.Errorf("%d patterns of keys: at most 64 can be told apart", len(b.patterns))
	}
	for _, pattern := range b.patterns {
		made, err := compile(pattern, pythonClass)
		n.patterns, problems = append(n.patterns, made), append(problems, err)
	}
	n.after, err = newAfter(rules, b.filled)
	if err = errors.Join(append(problems, err)...); err != nil {
		return nil, err
	}
	n.known = make(map[string]meaning, len(b.keys))
	for key, slot := range b.keys {
		found := n.meaningOf(key)
		found.slot = slot
		n.known[key] = found
	}
	for i := range columns {
		found := n.known[columns[i].attribute]
		found.column = i
		n.known[columns[i].attribute] = found
	}
	for _, key := range marks {
		found := n.meaningOf(key)
		found.isMark = true
		n.known[key] = found
	}
	return n, nil
}

// meaningOf works out what a key says that no rule names.
func (n *Normaliser) meaningOf(key string) meaning {
	found := meaning{slot: none, column: none}
	for i := range n.dialects {
		if reveals(&n.dialects[i], key) {
			found.bits |= 1 << i
		}
	}
	for i, pattern := range n.patterns {
		if match := pattern.FindStringIndex(key); match != nil && match[0] == 0 {
			found.gathered |= 1 << i
		}
	}
	return found
}

func reveals(dialect *semconv.Dialect, key string) bool {
	for _, attribute := range dialect.Attributes {
		if attribute == key {
			return true
		}
	}
	return startsWith(key, dialect.Prefixes)
}

func startsWith(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

var (
	kinds    = map[ptrace.SpanKind]string{1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
	statuses = map[ptrace.StatusCode]string{1: "ok", 2: "error"}
)

// Span finds the facts of a span; false where it speaks no dialect.
func (n *Normaliser) Span(resource pcommon.Map, scope pcommon.InstrumentationScope, span ptrace.Span, f *Facts) bool {
	f.reset()
	f.take(scope, span.Attributes())
	if f.bits == 0 {
		return false
	}
	f.put("@name", span.Name())
	f.put("@scope", scope.Name())
	f.put("@service", plainText(resource, serviceName))
	f.put("@kind", orElse(kinds[span.Kind()], "unspecified"))
	f.put("@status", orElse(statuses[span.Status().Code()], "unset"))
	if len(n.resources) > 0 {
		for key, value := range resource.All() {
			if slot, is := n.resources[key]; is {
				f.putValue(slot, value)
			}
		}
	}
	for i, events := 0, span.Events(); i < events.Len(); i++ {
		event := events.At(i)
		if wanted := n.events[event.Name()]; wanted != nil {
			for key, value := range event.Attributes().All() {
				if slot, is := wanted[key]; is {
					f.putValue(slot, value)
				}
			}
		}
	}
	f.fill()
	return true
}

// Log finds the facts of a log record; false where it speaks no dialect.
func (n *Normaliser) Log(resource pcommon.Map, scope pcommon.InstrumentationScope, record plog.LogRecord, f *Facts) bool {
	f.reset()
	f.take(scope, record.Attributes())
	if f.bits == 0 {
		return false
	}
	name := record.EventName()
	if name == "" {
		name = plainText(record.Attributes(), eventName)
	}
	f.put("@event", name)
	f.put("@scope", scope.Name())
	f.put("@service", plainText(resource, serviceName))
	if slot, is := n.pseudo["@body"]; is {
		f.putValue(slot, record.Body())
	}
	f.fill()
	return true
}

// plainText is the first value of a key where it is a text.
func plainText(attributes pcommon.Map, key string) string {
	value, is := attributes.Get(key)
	if !is {
		return ""
	}
	return value.Str()
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// label is the name of the last dialect of those in a set.
func (n *Normaliser) label(spoken uint64) string {
	if spoken == 0 {
		return ""
	}
	return n.dialects[bits.Len64(spoken)-1].Name
}
