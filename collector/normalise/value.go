package normalise

type kind uint8

const (
	kindMissing kind = iota
	kindNull
	kindBool
	kindInt
	kindDouble
	kindText
	kindList
	kindObject
	// What only Python literals have: a tuple is written as a list, the others cannot be written as JSON.
	kindTuple
	kindSet
	kindBytes
	kindImaginary
	kindEllipsis
)

// value is what a JSON text or a Python literal says. Halves of surrogate pairs, which JSON can spell and UTF-8 cannot,
// stand in a text as three bytes, as if they were letters.
type value struct {
	kind   kind
	is     bool
	text   string // of a text; the digits of a whole number
	number float64
	items  []value  // of a list, or those of an object
	keys   []string // of an object, in the order in which they came
}

// get is the value of a key of an object; a missing one where there is none.
func (v *value) get(key string) *value {
	for i := range v.keys {
		if v.keys[i] == key {
			return &v.items[i]
		}
	}
	return &nothing
}

var nothing value

// isTruthy is what Python's bool() says.
func (v *value) isTruthy() bool {
	switch v.kind {
	case kindMissing, kindNull:
		return false
	case kindBool:
		return v.is
	case kindInt:
		return v.text != "0"
	case kindDouble, kindImaginary:
		return v.number != 0
	case kindText, kindBytes:
		return v.text != ""
	case kindList, kindObject, kindTuple, kindSet:
		return len(v.items) > 0
	}
	return true
}

// indexed is the number of keys of an object from which on they are looked up in a map.
const indexed = 16

// add gives an object a key; a known one keeps its place.
func (v *value) add(key string, item value, places map[string]int) map[string]int {
	if places == nil && len(v.keys) >= indexed {
		places = make(map[string]int, 2*indexed)
		for i, known := range v.keys {
			places[known] = i
		}
	}
	if places != nil {
		if at, is := places[key]; is {
			v.items[at] = item
			return places
		}
		places[key] = len(v.keys)
	} else if known := v.get(key); known != &nothing {
		*known = item
		return nil
	}
	if v.keys == nil {
		v.keys, v.items = make([]string, 0, 4), make([]value, 0, 4)
	}
	v.keys, v.items = append(v.keys, key), append(v.items, item)
	return places
}
