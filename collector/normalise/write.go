package normalise

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/actorscope/actorscope/collector/semconv"
)

const (
	originalPrefix = "actorscope.edge.original."
	requestModel   = "gen_ai.request.model"
)

// marks are the attributes that tell how the facts of a record came about; what stood there before says nothing.
var marks = []string{
	semconv.EdgeDialect, semconv.EdgeVersion, semconv.EdgeOperationBasis, semconv.EdgeAgentBasis, semconv.EdgeSideEffectBasis,
}

// bases are where it stands how a column is known, and the usual basis: that one is not said.
var bases = map[string]struct{ key, usual string }{
	"operation":   {semconv.EdgeOperationBasis, "declared"},
	"agent_name":  {semconv.EdgeAgentBasis, "declared"},
	"side_effect": {semconv.EdgeSideEffectBasis, "inferred"},
}

// moved is an attribute that must make room.
type moved struct {
	key   string
	value pcommon.Value
}

// Write puts the facts on the record as canonical attributes, with the marks that tell a reader that this is done.
//
// Afterwards a canonical key is there if and only if its column has a value, and it has that value. What stood there and
// differs is kept below actorscope.edge.original. when originals are kept; when not, the attributes that became facts as a
// whole go too. One fact is not written twice: the model where gen_ai.request.model says it and nothing else does; that
// attribute stays. What the resource says, such as the host, is written too: a reader cannot know whether the dialect of
// the record reads the resource.
//
// The attributes are those of which the facts were found, not changed since.
func (n *Normaliser) Write(attributes pcommon.Map, f *Facts, keepOriginals bool) {
	clear(f.written)
	f.skip(attributes)
	at := -1
	attributes.RemoveIf(func(_ string, held pcommon.Value) bool {
		at++
		found := f.meanings[at]
		if found.column == none {
			return found.isMark || !keepOriginals && found.slot != none && f.slots[found.slot].isUsed
		}
		if c := &f.columns[found.column]; c.isThere && n.columns[found.column].holds(held, c) {
			isTwice := f.written[found.column]
			f.written[found.column] = true
			return isTwice
		}
		if keepOriginals {
			made := pcommon.NewValueEmpty()
			held.MoveTo(made)
			f.moved = append(f.moved, moved{n.columns[found.column].original, made})
		}
		return true
	})
	attributes.EnsureCapacity(attributes.Len() + f.more())
	for _, one := range f.moved {
		one.value.MoveTo(attributes.PutEmpty(one.key))
	}
	clear(f.moved)
	f.moved = f.moved[:0]
	for _, at := range f.filled {
		if !f.written[at] {
			n.columns[at].put(attributes, &f.columns[at])
		}
		if f.isUnusual(at) {
			attributes.PutStr(n.columns[at].mark, f.columns[at].basis)
		}
	}
	attributes.PutStr(semconv.EdgeDialect, f.Dialect())
}

// more is how many attributes are still to be written: also the mark, and two by which the processor says what it hid.
func (f *Facts) more() int {
	count := len(f.moved) + 3
	for _, at := range f.filled {
		if !f.written[at] {
			count++
		}
		if f.isUnusual(at) {
			count++
		}
	}
	return count
}

// isUnusual says whether it is marked how a column is known.
func (f *Facts) isUnusual(at int) bool {
	c := &f.n.columns[at]
	return c.mark != "" && f.columns[at].basis != c.usual
}

// skip notes that the model is not written because it is said elsewhere, by an attribute that stays for that.
func (f *Facts) skip(attributes pcommon.Map) {
	model := f.fact("model", textColumn)
	if model == nil {
		return
	}
	at := f.n.places["model"]
	_, isAnswered := attributes.Get(f.n.columns[at].attribute)
	asked, is := lastOf(attributes, requestModel)
	if !isAnswered && is && textOf(asked) == model.text {
		f.written[at] = true
		if slot := f.meaning(requestModel).slot; slot != none {
			f.slots[slot].isUsed = false
		}
	}
}

func lastOf(attributes pcommon.Map, key string) (found pcommon.Value, is bool) {
	for name, value := range attributes.All() {
		if name == key {
			found, is = value, true
		}
	}
	return found, is
}

func (c *column) holds(held pcommon.Value, found *fact) bool {
	switch kind := held.Type(); c.kind {
	case textColumn:
		return kind == pcommon.ValueTypeStr && held.Str() == found.text
	case intColumn:
		return kind == pcommon.ValueTypeInt && held.Int() == found.whole
	case doubleColumn:
		return kind == pcommon.ValueTypeDouble && held.Double() == found.number
	case boolColumn:
		return kind == pcommon.ValueTypeBool && held.Bool() == found.is
	}
	if held.Type() != pcommon.ValueTypeSlice || held.Slice().Len() != len(found.names) {
		return false
	}
	for i, name := range found.names {
		if item := held.Slice().At(i); item.Type() != pcommon.ValueTypeStr || item.Str() != name {
			return false
		}
	}
	return true
}

func (c *column) put(attributes pcommon.Map, found *fact) {
	switch c.kind {
	case textColumn:
		attributes.PutStr(c.attribute, found.text)
	case intColumn:
		attributes.PutInt(c.attribute, found.whole)
	case doubleColumn:
		attributes.PutDouble(c.attribute, found.number)
	case boolColumn:
		attributes.PutBool(c.attribute, found.is)
	case namesColumn:
		items := attributes.PutEmptySlice(c.attribute)
		items.EnsureCapacity(len(found.names))
		for _, name := range found.names {
			items.AppendEmpty().SetStr(name)
		}
	}
}
