package normalise

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/actorscope/actorscope/collector/semconv"
)

type columnType uint8

const (
	textColumn columnType = iota
	intColumn
	doubleColumn
	boolColumn
	namesColumn
)

var columnTypes = map[string]columnType{
	"name": textColumn, "text": textColumn, "int": intColumn, "double": doubleColumn, "bool": boolColumn, "names": namesColumn,
}

// column is one fact with the rules that fill it, in the order in which they are asked.
type column struct {
	name      string
	attribute string
	original  string // the key under which another value of the attribute is kept
	kind      columnType
	mark      string // the key that says how it is known
	usual     string // the basis that is not said
	rules     []rule
}

// ref is where a condition looks: a slot of the record, or where that is below zero a column that was filled before.
type ref struct{ slot, column int }

type condition struct {
	ref
	values []string
}

const none = -1

// rule is one way to fill a column.
type rule struct {
	dialect     int // the number of the one that must be spoken; none for our own attributes
	source      int // a slot
	constant    *string
	where       []condition
	present     []ref
	absent      []ref
	same        []ref
	values      map[string]string
	keepsOther  bool
	ignore      []string
	lower       bool
	stripPrefix string
	stripSuffix string
	extract     *pattern
	path        path
	content     string
	basis       string
	plus        []int
	plusPaths   []path
	nothing     bool
	gathered    int // the number of a pattern of keys
	gate        int // a slot without which the rule says nothing
	isPlain     bool
	isPart      bool // the attribute may say more than the fact that is read out of it
}

// builder gives names slots while rules are compiled.
type builder struct {
	given     *semconv.Rules
	slots     int
	keys      map[string]int
	events    map[string]map[string]int
	resources map[string]int
	pseudo    map[string]int
	filled    map[string]int
	columns   map[string]columnType
	wanted    map[string]bool
	patterns  []string
}

func (b *builder) slot() int {
	b.slots++
	return b.slots - 1
}

func (b *builder) of(names map[string]int, name string) int {
	slot, is := names[name]
	if !is {
		slot = b.slot()
		names[name] = slot
	}
	return slot
}

func newBuilder(given *semconv.Rules) *builder {
	b := &builder{
		given: given, keys: map[string]int{}, events: map[string]map[string]int{}, resources: map[string]int{},
		pseudo: map[string]int{}, filled: map[string]int{}, columns: map[string]columnType{}, wanted: map[string]bool{},
	}
	for _, one := range given.Columns {
		b.columns[one.Name] = columnTypes[one.Type]
		b.of(b.keys, one.Attribute)
		b.wanted[one.Attribute] = true
	}
	for _, dialect := range given.Dialects {
		for _, one := range dialect.Rules {
			if one.Event == "" && !one.Resource {
				b.wanted[one.Source] = true
				for _, key := range one.Plus {
					b.wanted[key] = true
				}
			}
		}
	}
	return b
}

// build compiles all columns; the error names each rule that cannot be done.
func (b *builder) build() ([]column, error) {
	var problems []error
	made := make([]column, 0, len(b.given.Columns))
	for _, one := range b.given.Columns {
		kind, is := columnTypes[one.Type]
		if !is {
			problems = append(problems, fmt.Errorf("column %s: there is no type %s", one.Name, one.Type))
			continue
		}
		c := column{
			name: one.Name, attribute: one.Attribute, original: originalPrefix + one.Attribute, kind: kind,
			mark: bases[one.Name].key, usual: bases[one.Name].usual,
		}
		if strings.HasPrefix(one.Attribute, "actorscope.") {
			own, _ := b.rule(none, &semconv.Rule{Source: one.Attribute, Basis: "declared"}, kind)
			c.rules = append(c.rules, own)
		}
		for _, isFirst := range []bool{true, false} {
			for number := range b.given.Dialects {
				dialect := &b.given.Dialects[number]
				for i := range dialect.Rules {
					given := &dialect.Rules[i]
					if given.Column != one.Name || given.First != isFirst {
						continue
					}
					r, err := b.rule(number, given, kind)
					if err != nil {
						problems = append(problems, fmt.Errorf("dialect %s, column %s: %w", dialect.Name, one.Name, err))
					}
					c.rules = append(c.rules, r)
				}
			}
		}
		b.filled[one.Name] = len(made)
		made = append(made, c)
	}
	return made, errors.Join(problems...)
}

// place is the slot in which the value of a rule stands.
func (b *builder) place(given *semconv.Rule) int {
	switch {
	case strings.HasPrefix(given.Source, "@"):
		return b.of(b.pseudo, given.Source)
	case given.Event != "":
		if b.events[given.Event] == nil {
			b.events[given.Event] = map[string]int{}
		}
		return b.of(b.events[given.Event], given.Source)
	case given.Resource:
		return b.of(b.resources, given.Source)
	}
	return b.of(b.keys, given.Source)
}

// reference is what a key of a condition refers to. The name of a column that is filled later is an attribute, if a rule
// reads that one anyway.
func (b *builder) reference(key string, isCompared bool) (ref, error) {
	kind, isColumn := b.columns[key]
	if at, isFilled := b.filled[key]; isFilled {
		if isCompared && kind != textColumn {
			return ref{}, fmt.Errorf("the value of column %s is compared, which is no text", key)
		}
		return ref{slot: none, column: at}, nil
	}
	if strings.HasPrefix(key, "@") {
		return ref{slot: b.of(b.pseudo, key), column: none}, nil
	}
	if isColumn && !b.wanted[key] {
		return ref{slot: b.slot(), column: none}, nil // never there
	}
	return ref{slot: b.of(b.keys, key), column: none}, nil
}

func (b *builder) references(keys []string, isCompared bool, problems *[]error) []ref {
	var made []ref
	for _, key := range keys {
		found, err := b.reference(key, isCompared)
		made, *problems = append(made, found), append(*problems, err)
	}
	return made
}

func (b *builder) rule(dialect int, given *semconv.Rule, kind columnType) (rule, error) {
	var problems []error
	made := rule{
		dialect: dialect, source: none, constant: given.Constant, values: given.Values, keepsOther: given.Otherwise == "keep",
		ignore: given.Ignore, lower: given.Lower, stripPrefix: given.StripPrefix, stripSuffix: given.StripSuffix,
		content: given.Content, basis: given.Basis, nothing: given.Nothing, gathered: none, gate: none,
		present: b.references(given.Present, false, &problems), absent: b.references(given.Absent, false, &problems),
		same: b.references(given.Same, true, &problems),
	}
	for _, one := range given.Where {
		made.where = append(made.where, condition{b.references([]string{one.Key}, true, &problems)[0], one.Values})
	}
	switch {
	case given.Nothing || given.Constant != nil:
	case given.Keys != "":
		made.gathered = slices.Index(b.patterns, given.Keys)
		if made.gathered < 0 {
			made.gathered = len(b.patterns)
			b.patterns = append(b.patterns, given.Keys)
		}
	default:
		made.source = b.place(given)
	}
	var err error
	if given.Extract != "" {
		made.extract, err = compile(given.Extract, wordClass)
		problems = append(problems, err)
	}
	if given.JSON != "" {
		made.path, err = newPath(given.JSON)
		problems = append(problems, err)
	}
	for _, key := range given.Plus {
		if given.JSON == "" {
			made.plus = append(made.plus, b.of(b.keys, key))
			continue
		}
		other, err := newPath(key)
		made.plusPaths, problems = append(made.plusPaths, other), append(problems, err)
	}
	made.isPlain = given.JSON == "" && given.Extract == "" && !given.Lower && given.StripPrefix == "" && given.StripSuffix == "" &&
		len(given.Ignore) == 0 && given.Values == nil
	made.isPart = given.JSON != "" || given.Extract != "" || given.Keys != "" || given.Content == "request" || given.Content == "tool_calls"
	problems = append(problems, fits(given, kind))
	made.gate = b.gate(&made)
	return made, errors.Join(problems...)
}

// gate is a slot that must be filled for a rule to say something; what every record has is none.
func (b *builder) gate(r *rule) int {
	needed := []int{r.source}
	for _, one := range r.where {
		needed = append(needed, one.slot)
	}
	for _, one := range r.present {
		needed = append(needed, one.slot)
	}
	for _, at := range needed {
		isPseudo := false
		for _, slot := range b.pseudo {
			isPseudo = isPseudo || slot == at
		}
		if at != none && !isPseudo {
			return at
		}
	}
	return r.source
}

// fits says what of a rule does not go with the type of its column.
func fits(given *semconv.Rule, kind columnType) error {
	switch {
	case len(given.Plus) > 0 && (kind != intColumn && kind != doubleColumn || given.Content != "" || given.Keys != ""):
		return errors.New("a sum in a column that is no number")
	case (given.Constant != nil || given.Values != nil) && kind != textColumn:
		return errors.New("a constant or a translation in a column that is no text")
	case given.Content != "" && (kind != textColumn || !slices.Contains([]string{"request", "tool_calls", "arguments"}, given.Content)):
		return fmt.Errorf("content %s in this column", given.Content)
	case len(given.Same) != 0 && len(given.Same) != 2:
		return errors.New("same compares two keys")
	}
	return nil
}
