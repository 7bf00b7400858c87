package normalise

import (
	"maps"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// What Facts remember of earlier records is forgotten when there is more of it than this.
const (
	mostKeys   = 4096
	mostScopes = 256
	mostPlans  = 256
	mostTools  = 1024
)

// Facts are what is known of one record. One value serves many records of one goroutine, one after the other.
type Facts struct {
	n        *Normaliser
	slots    []slot
	touched  []int
	bits     uint64
	gathered []pair
	columns  []fact
	filled   []int
	meanings []meaning // of the attributes of the record, in their order
	keys     map[string]meaning
	scopes   map[string]uint64
	plans    map[uint64][]asked
	tools    map[string]tool
	scratch  []byte
	written  []bool
	moved    []moved
}

// slot is a value that rules look for; its text is made when one asks.
type slot struct {
	value   pcommon.Value
	text    string
	isThere bool
	isText  bool
	isUsed  bool // it became a value as a whole
}

// fact is the value of a column; which field holds it follows from the type of the column.
type fact struct {
	isThere bool
	text    string
	whole   int64
	number  float64
	is      bool
	names   []string
	basis   string
}

// NewFacts makes room for the facts of a record. It learns keys as it goes: keep it for the next batch.
func (n *Normaliser) NewFacts() *Facts {
	return &Facts{
		n: n, slots: make([]slot, n.slots), columns: make([]fact, len(n.columns)), written: make([]bool, len(n.columns)),
		keys: maps.Clone(n.known), scopes: map[string]uint64{}, plans: map[uint64][]asked{}, tools: map[string]tool{},
	}
}

func (f *Facts) reset() {
	for _, at := range f.touched {
		f.slots[at] = slot{}
	}
	for _, at := range f.filled {
		f.columns[at] = fact{}
	}
	clear(f.gathered)
	f.touched, f.filled, f.gathered, f.meanings = f.touched[:0], f.filled[:0], f.gathered[:0], f.meanings[:0]
	f.bits = 0
}

// meaning is what a key says; keys that no rule names are remembered beside the others.
func (f *Facts) meaning(key string) meaning {
	if found, is := f.keys[key]; is {
		return found
	}
	if len(f.keys) >= mostKeys {
		f.keys = maps.Clone(f.n.known)
	}
	found := f.n.meaningOf(key)
	f.keys[strings.Clone(key)] = found
	return found
}

// take reads the attributes of a record, and which dialects they and the scope speak.
func (f *Facts) take(scope pcommon.InstrumentationScope, attributes pcommon.Map) {
	for key, value := range attributes.All() {
		found := f.meaning(key)
		f.meanings = append(f.meanings, found)
		f.bits |= found.bits
		if found.slot != none {
			f.putValue(found.slot, value)
		}
		if found.gathered != 0 {
			f.gathered = append(f.gathered, pair{found.gathered, key, textOf(value)})
		}
	}
	name := scope.Name()
	spoken, is := f.scopes[name]
	if !is {
		for i := range f.n.dialects {
			if startsWith(name, f.n.dialects[i].Scopes) {
				spoken |= 1 << i
			}
		}
		if len(f.scopes) >= mostScopes {
			clear(f.scopes)
		}
		f.scopes[strings.Clone(name)] = spoken
	}
	f.bits |= spoken
}

func (f *Facts) put(pseudo, text string) {
	if at, is := f.n.pseudo[pseudo]; is {
		f.slots[at] = slot{text: text, isThere: true, isText: true}
		f.touched = append(f.touched, at)
	}
}

func (f *Facts) putValue(at int, value pcommon.Value) {
	f.slots[at] = slot{value: value, isThere: true}
	f.touched = append(f.touched, at)
}

// text is the text of a slot.
func (f *Facts) text(at int) (string, bool) {
	s := &f.slots[at]
	if s.isThere && !s.isText {
		s.text, s.isText = textOf(s.value), true
	}
	return s.text, s.isThere
}

// set gives a column without a value one.
func (f *Facts) set(at int, found fact) {
	found.isThere = true
	f.columns[at] = found
	f.filled = append(f.filled, at)
}

func (f *Facts) fact(column string, kind columnType) *fact {
	at, is := f.n.places[column]
	if !is || !f.columns[at].isThere || f.n.columns[at].kind != kind {
		return nil
	}
	return &f.columns[at]
}

// Dialect names the vocabulary of the record.
func (f *Facts) Dialect() string { return f.n.label(f.bits) }

// Text is the value of a column of text.
func (f *Facts) Text(column string) (string, bool) {
	if found := f.fact(column, textColumn); found != nil {
		return found.text, true
	}
	return "", false
}

// Int is the value of a column of whole numbers.
func (f *Facts) Int(column string) (int64, bool) {
	if found := f.fact(column, intColumn); found != nil {
		return found.whole, true
	}
	return 0, false
}

// Double is the value of a column of numbers.
func (f *Facts) Double(column string) (float64, bool) {
	if found := f.fact(column, doubleColumn); found != nil {
		return found.number, true
	}
	return 0, false
}

// Bool is the value of a column that says yes or no.
func (f *Facts) Bool(column string) (is, ok bool) {
	if found := f.fact(column, boolColumn); found != nil {
		return found.is, true
	}
	return false, false
}

// Names is the value of a column that lists names.
func (f *Facts) Names(column string) ([]string, bool) {
	if found := f.fact(column, namesColumn); found != nil {
		return found.names, true
	}
	return nil, false
}

// Basis says how the operation, the agent_name or the side_effect of the record is known; empty where it is not.
func (f *Facts) Basis(column string) string {
	if at, is := f.n.places[column]; is && f.columns[at].isThere {
		return f.columns[at].basis
	}
	return ""
}
