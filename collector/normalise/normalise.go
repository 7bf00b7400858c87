// Package normalise brings what frameworks say about agents into one form: the rules of all dialects, applied to records of pdata.
package normalise

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

// Normaliser holds the compiled rules. It is immutable and safe for concurrent use.
type Normaliser struct {
	version string
}

// New compiles rules; version is what the mark on every record says. The error names each rule that cannot be done.
func New(rules *semconv.Rules, version string) (*Normaliser, error) {
	return &Normaliser{version: version}, nil
}

// Facts are what is known of one record. One value serves many records of one goroutine, one after the other.
type Facts struct{}

// NewFacts makes room for the facts of a record. It learns keys as it goes: keep it for the next batch.
func (n *Normaliser) NewFacts() *Facts { return &Facts{} }

// Span finds the facts of a span; false where it speaks no dialect.
func (n *Normaliser) Span(resource pcommon.Map, scope pcommon.InstrumentationScope, span ptrace.Span, f *Facts) bool {
	return false
}

// Log finds the facts of a log record; false where it speaks no dialect.
func (n *Normaliser) Log(resource pcommon.Map, scope pcommon.InstrumentationScope, record plog.LogRecord, f *Facts) bool {
	return false
}

// Write puts the facts on the record as canonical attributes, with the marks that tell a reader that this is done.
func (n *Normaliser) Write(resource pcommon.Map, attributes pcommon.Map, f *Facts, keepOriginals bool) {
}

// Dialect names the vocabulary of the record.
func (f *Facts) Dialect() string { return "" }

// Text is the value of a column of text.
func (f *Facts) Text(column string) (string, bool) { return "", false }

// Int is the value of a column of whole numbers.
func (f *Facts) Int(column string) (int64, bool) { return 0, false }

// Double is the value of a column of numbers.
func (f *Facts) Double(column string) (float64, bool) { return 0, false }

// Bool is the value of a column that says yes or no.
func (f *Facts) Bool(column string) (bool, bool) { return false, false }

// Names is the value of a column that lists names.
func (f *Facts) Names(column string) ([]string, bool) { return nil, false }

// Basis says how the operation, the agent_name or the side_effect of the record is known; empty where it is not.
func (f *Facts) Basis(column string) string { return "" }
