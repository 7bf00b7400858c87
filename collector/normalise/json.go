package normalise

import (
	"strconv"
	"strings"
)

const (
	// deepest is how deep Python reads before it gives up; the last few levels depend on who calls, and are nobody's.
	deepest = 960
	// deepestPath is how deep the reader of JSON paths goes.
	deepestPath = 127
	// longest is the number of digits from which on Python refuses a whole number.
	longest = 4300
)

// reader reads JSON in one of two manners: as Python does, or, for paths, as Polars does. The latter knows no NaN, no
// halves of surrogates and no numbers beyond doubles, and every part of the text must be right by that measure.
type reader struct {
	source string
	at     int
	depth  int
	isPath bool
	isDeep bool
}

// parse reads a JSON text as Python's json.loads does. isDeep says that it was not read because it is nested too deeply.
func parse(source string) (found value, ok, isDeep bool) {
	if !mayBeJSON(source) {
		return value{}, false, false
	}
	r := reader{source: valid(source)}
	found, ok = r.whole(nil)
	return found, ok, r.isDeep
}

// mayBeJSON looks at the first letter: most texts that people write are no JSON.
func mayBeJSON(source string) bool {
	for i := range len(source) {
		switch source[i] {
		case ' ', '\t', '\n', '\r':
			continue
		case '{', '[', '"', '-', 't', 'f', 'n', 'N', 'I', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			return true
		}
		return false
	}
	return false
}

func (r *reader) whole(steps []step) (value, bool) {
	r.space()
	found, ok := r.value(steps, true)
	r.space()
	return found, ok && r.at == len(r.source)
}

func (r *reader) space() {
	for r.at < len(r.source) {
		switch r.source[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) peek() byte {
	if r.at < len(r.source) {
		return r.source[r.at]
	}
	return 0
}

func (r *reader) word(word string) bool {
	if strings.HasPrefix(r.source[r.at:], word) {
		r.at += len(word)
		return true
	}
	return false
}

// value reads what comes next. With steps it keeps only what stands at the end of them, without isKept nothing.
func (r *reader) value(steps []step, isKept bool) (found value, ok bool) {
	switch c := r.peek(); {
	case c == '{' || c == '[':
		if r.depth++; r.depth > deepest || r.isPath && r.depth > deepestPath {
			r.isDeep = true
			return value{}, false
		}
		if c == '{' {
			found, ok = r.object(steps, isKept)
		} else {
			found, ok = r.list(steps, isKept)
		}
		r.depth--
		return found, ok
	case c == '"':
		found.kind = kindText
		found.text, ok = r.text(isKept && len(steps) == 0)
	case c == 't' && r.word("true"):
		found, ok = value{kind: kindBool, is: true}, true
	case c == 'f' && r.word("false"):
		found, ok = value{kind: kindBool}, true
	case c == 'n' && r.word("null"):
		found, ok = value{kind: kindNull}, true
	default:
		found, ok = r.number()
	}
	if len(steps) > 0 || !isKept {
		found = value{}
	}
	return found, ok
}

func (r *reader) object(steps []step, isKept bool) (found value, ok bool) {
	isWhole := isKept && len(steps) == 0
	if isWhole {
		found.kind = kindObject
	}
	var places map[string]int
	r.at++
	if r.space(); r.peek() == '}' {
		r.at++
		return found, true
	}
	for {
		if r.peek() != '"' {
			return found, false
		}
		key, ok := r.text(isKept)
		if !ok {
			return found, false
		}
		if r.space(); r.peek() != ':' {
			return found, false
		}
		r.at++
		r.space()
		isStep := isKept && !isWhole && steps[0].isKey && steps[0].key == key
		var rest []step
		if isStep {
			rest = steps[1:]
		}
		inner, ok := r.value(rest, isWhole || isStep)
		if !ok {
			return found, false
		}
		if isWhole {
			places = found.add(key, inner, places)
		} else if isStep {
			found = inner // the last one of a key counts
		}
		r.space()
		switch r.peek() {
		case ',':
			r.at++
			r.space()
		case '}':
			r.at++
			return found, true
		default:
			return found, false
		}
	}
}

func (r *reader) list(steps []step, isKept bool) (found value, ok bool) {
	isWhole := isKept && len(steps) == 0
	if isWhole {
		found.kind = kindList
	}
	r.at++
	if r.space(); r.peek() == ']' {
		r.at++
		return found, true
	}
	for index := 0; ; index++ {
		isStep := isKept && !isWhole && !steps[0].isKey && steps[0].index == index
		var rest []step
		if isStep {
			rest = steps[1:]
		}
		inner, ok := r.value(rest, isWhole || isStep)
		if !ok {
			return found, false
		}
		if isWhole {
			found.items = append(found.items, inner)
		} else if isStep {
			found = inner
		}
		r.space()
		switch r.peek() {
		case ',':
			r.at++
			r.space()
		case ']':
			r.at++
			return found, true
		default:
			return found, false
		}
	}
}

// text reads a text in quotes; one without escapes is a part of the source.
func (r *reader) text(isKept bool) (string, bool) {
	start := r.at + 1
	for i := start; i < len(r.source); i++ {
		switch c := r.source[i]; {
		case c == '"':
			r.at = i + 1
			return r.source[start:i], true
		case c == '\\':
			r.at = i
			return r.escaped(start)
		case c < 0x20:
			return "", false
		}
	}
	return "", false
}

func (r *reader) escaped(start int) (string, bool) {
	made := make([]byte, 0, r.at-start+32)
	made = append(made, r.source[start:r.at]...)
	for r.at < len(r.source) {
		c := r.source[r.at]
		r.at++
		switch {
		case c == '"':
			return string(made), true
		case c < 0x20:
			return "", false
		case c != '\\':
			made = append(made, c)
			continue
		}
		c = r.peek()
		r.at++
		if at := strings.IndexByte(`"\/bfnrt`, c); at >= 0 && c != 0 {
			made = append(made, "\"\\/\b\f\n\r\t"[at])
			continue
		}
		if c != 'u' {
			return "", false
		}
		letter, ok := r.unit()
		if !ok {
			return "", false
		}
		if isHigh(letter) && strings.HasPrefix(r.source[r.at:], `\u`) {
			before := r.at
			r.at += 2
			low, ok := r.unit()
			if !ok {
				return "", false
			}
			if isLow(low) {
				letter = 0x10000 + (letter-0xd800)<<10 + (low - 0xdc00)
			} else {
				r.at = before
			}
		}
		if isHalf(letter) && r.isPath {
			return "", false
		}
		made = appendLetter(made, letter)
	}
	return "", false
}

// unit reads four hexadecimal digits.
func (r *reader) unit() (rune, bool) {
	if r.at+4 > len(r.source) {
		return 0, false
	}
	digits := r.source[r.at : r.at+4]
	found, err := strconv.ParseUint(digits, 16, 32)
	r.at += 4
	return rune(found), err == nil
}
