// Package pyjson reads and writes JSON as Python's json module does: what it takes for JSON, the order of keys, how numbers look.
package pyjson

// Kind says what a Value is.
type Kind uint8

// The kinds of values. An Int is a number without a fraction and an exponent, of any size.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Object
)

// Value is a JSON value.
type Value struct {
	Kind Kind
	// Bool is true for `true`.
	Bool bool
	// Number is the value of a Float.
	Number float64
	// Text is a String, or the digits of an Int.
	Text string
	// Items are those of a List.
	Items []Value
	// Members are those of an Object in the order of first appearance, each key once.
	Members []Member
}

// Member is a key of an object and its value.
type Member struct {
	Key   string
	Value Value
}

// Builder gathers the members of an object.
type Builder struct {
	to     *Value
	places map[string]int
}

// Build begins an object.
func Build(to *Value) Builder {
	to.Kind = Object
	return Builder{to: to}
}

// Set writes a member as a dict does: a key given again keeps its place and gets the new value.
func (b *Builder) Set(key string, value Value) {
	const small = 12
	members := b.to.Members
	if b.places == nil && len(members) >= small {
		b.places = make(map[string]int, 2*small)
		for i, member := range members {
			b.places[member.Key] = i
		}
	}
	if b.places != nil {
		if i, is := b.places[key]; is {
			members[i].Value = value
			return
		}
		b.places[key] = len(members)
	} else {
		for i := range members {
			if members[i].Key == key {
				members[i].Value = value
				return
			}
		}
	}
	b.to.Members = append(members, Member{key, value})
}
