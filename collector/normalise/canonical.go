package normalise

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// canonical writes a value in the form of RFC 8785; false for numbers and letters that it does not have.
func canonical(out []byte, v *value) ([]byte, bool) {
	ok := true
	switch v.kind {
	case kindNull:
		return append(out, "null"...), true
	case kindBool:
		return strconv.AppendBool(out, v.is), true
	case kindInt:
		found, err := strconv.ParseInt(v.text, 10, 64)
		return append(out, v.text...), err == nil && -exactly < found && found < exactly
	case kindDouble:
		return appendCanonical(out, v.number)
	case kindText:
		return appendQuoted(out, v.text), utf8.ValidString(v.text)
	case kindList:
		out = append(out, '[')
		for i := range v.items {
			if i > 0 {
				out = append(out, ',')
			}
			if out, ok = canonical(out, &v.items[i]); !ok {
				return out, false
			}
		}
		return append(out, ']'), true
	case kindObject:
		return canonicalObject(out, v)
	}
	return out, false
}

func canonicalObject(out []byte, v *value) ([]byte, bool) {
	var few [8]int
	order := few[:0]
	for i := range v.keys {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return compareUnits(v.keys[a], v.keys[b]) })
	out = append(out, '{')
	for i, at := range order {
		if i > 0 {
			out = append(out, ',')
		}
		if !utf8.ValidString(v.keys[at]) {
			return out, false
		}
		out = append(appendQuoted(out, v.keys[at]), ':')
		var ok bool
		if out, ok = canonical(out, &v.items[at]); !ok {
			return out, false
		}
	}
	return append(out, '}'), true
}

// compareUnits compares by the units of UTF-16: letters beyond the first 65536 stand before the last ones of these.
func compareUnits(a, b string) int {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	if at == len(a) || at == len(b) {
		return len(a) - len(b)
	}
	order := func(c byte) int {
		if c >= 0xf0 {
			return 0xed<<1 + 1 // surrogates are beyond U+CFFF and U+D7FF, and below U+E000
		}
		return int(c) << 1
	}
	if x, y := order(a[at]), order(b[at]); x != y {
		return x - y
	}
	return int(a[at]) - int(b[at])
}
