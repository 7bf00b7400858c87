package normalise

import (
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// asked is a column that some rule may fill for records of some dialects, and those rules.
type asked struct {
	column int
	kind   columnType
	rules  []*rule
}

// plan is the columns and rules for records that speak some dialects.
func (f *Facts) plan(spoken uint64) []asked {
	if made, is := f.plans[spoken]; is {
		return made
	}
	var made []asked
	for i := range f.n.columns {
		c := &f.n.columns[i]
		one := asked{column: i, kind: c.kind}
		for j := range c.rules {
			if r := &c.rules[j]; r.dialect == none || spoken>>r.dialect&1 == 1 {
				one.rules = append(one.rules, r)
			}
		}
		if len(one.rules) > 0 {
			made = append(made, one)
		}
	}
	if len(f.plans) >= mostPlans {
		clear(f.plans)
	}
	f.plans[spoken] = made
	return made
}

// fill asks the rules, column after column: the first rule that yields a value counts.
func (f *Facts) fill() {
	for _, one := range f.plan(f.bits) {
		for _, r := range one.rules {
			if r.gate != none && !f.slots[r.gate].isThere || !f.applies(r) {
				continue
			}
			if r.nothing {
				break
			}
			if found, ok := f.value(r, one.kind); ok {
				found.basis = r.basis
				f.set(one.column, found)
				f.use(r)
				break
			}
		}
	}
	f.fillAfter()
}

// use notes which attributes became a value as a whole.
func (f *Facts) use(r *rule) {
	if r.isPart {
		return
	}
	if r.source != none {
		f.slots[r.source].isUsed = true
	}
	for _, at := range r.plus {
		f.slots[at].isUsed = true
	}
}

func (f *Facts) isThere(at ref) bool {
	if at.slot != none {
		return f.slots[at.slot].isThere
	}
	return f.columns[at.column].isThere
}

func (f *Facts) compared(at ref) (string, bool) {
	if at.slot != none {
		return f.text(at.slot)
	}
	return f.columns[at.column].text, f.columns[at.column].isThere
}

func (f *Facts) applies(r *rule) bool {
	for i := range r.where {
		if said, is := f.compared(r.where[i].ref); !is || !slices.Contains(r.where[i].values, said) {
			return false
		}
	}
	for _, at := range r.present {
		if !f.isThere(at) {
			return false
		}
	}
	for _, at := range r.absent {
		if f.isThere(at) {
			return false
		}
	}
	if r.same != nil {
		one, isOne := f.compared(r.same[0])
		other, isOther := f.compared(r.same[1])
		return isOne && isOther && one == other
	}
	return true
}

// value is what a rule yields for a record to which it applies.
func (f *Facts) value(r *rule, kind columnType) (fact, bool) {
	if r.isPlain && r.source != none && len(r.plus) == 0 {
		if found, is, ok := plain(&f.slots[r.source], kind); is {
			return found, ok
		}
	}
	start, ok := "", true
	switch {
	case r.constant != nil:
		start = *r.constant
	case r.source != none:
		start, ok = f.text(r.source)
	case len(f.gathered) > 0:
		start = joined(f.gathered, r.gathered)
		ok = start != ""
	default:
		ok = false
	}
	if !ok {
		return fact{}, false
	}
	said, ok := r.tidy(start)
	if !ok {
		return fact{}, false
	}
	if r.plus != nil || r.plusPaths != nil {
		return asNumber(f.sum(r, said, start), kind)
	}
	switch r.content {
	case "request":
		said, ok = request(said)
		return fact{text: said}, ok
	case "tool_calls":
		said, ok = toolCalls(said)
		return fact{text: said}, ok
	case "arguments":
		return fact{text: arguments(said)}, true
	}
	switch kind {
	case intColumn, doubleColumn:
		found, ok := number(said)
		if !ok {
			return fact{}, false
		}
		return asNumber(found, kind)
	case boolColumn:
		is, ok := truth(said)
		return fact{is: is}, ok
	case namesColumn:
		return fact{names: names(said)}, true
	}
	return fact{text: said}, said != ""
}

// plain reads numbers and truths without a way through text; is says whether that can be done.
func plain(s *slot, kind columnType) (found fact, is, ok bool) {
	if s.isText || !s.isThere {
		return fact{}, false, false
	}
	switch held := s.value.Type(); {
	case (kind == intColumn || kind == doubleColumn) && held == pcommon.ValueTypeInt:
		found, ok = asNumber(float64(s.value.Int()), kind)
		return found, true, ok
	case (kind == intColumn || kind == doubleColumn) && held == pcommon.ValueTypeDouble:
		found, ok = asNumber(s.value.Double(), kind)
		return found, true, ok
	case kind == boolColumn && held == pcommon.ValueTypeBool:
		return fact{is: s.value.Bool()}, true, true
	}
	return fact{}, false, false
}

func asNumber(number float64, kind columnType) (fact, bool) {
	if kind == intColumn {
		if !(number >= 0 && number <= exactly) {
			return fact{}, false
		}
		return fact{whole: int64(number)}, true
	}
	return fact{number: number}, !math.IsNaN(number) && !math.IsInf(number, 0)
}

// sum adds up the numbers of a rule with plus: other attributes, or other paths in the same JSON.
func (f *Facts) sum(r *rule, said, whole string) float64 {
	total, _ := number(said)
	for _, at := range r.plus {
		if text, is := f.text(at); is {
			more, _ := number(text)
			total += more
		}
	}
	for _, other := range r.plusPaths {
		if text, is := other.find(whole); is {
			more, _ := number(text)
			total += more
		}
	}
	return total
}

func (r *rule) tidy(said string) (string, bool) {
	ok := true
	if r.path != nil {
		if said, ok = r.path.find(said); !ok {
			return "", false
		}
	}
	if r.extract != nil {
		if said, ok = r.extract.group(said); !ok {
			return "", false
		}
	}
	if r.lower {
		said = lower(said)
	}
	said = strings.TrimPrefix(said, r.stripPrefix)
	said = strings.TrimSuffix(said, r.stripSuffix)
	if slices.Contains(r.ignore, said) {
		return "", false
	}
	if r.values != nil {
		translated, is := r.values[said]
		if !is {
			return said, r.keepsOther
		}
		return translated, true
	}
	return said, true
}
