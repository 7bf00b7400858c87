package pyjson

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

const (
	// deepest is how far values may be nested; Python gives up at a depth near to this, which depends on its version.
	deepest = 900
	// longest is how many digits Python takes for a number.
	longest = 4300
)

var (
	errNone = errors.New("this is no JSON")
	errDeep = errors.New("values are nested too deep")
)

// Parse reads one JSON value, as json.loads does: NaN and Infinity are numbers, of a repeated key the last value counts.
func Parse(text string) (Value, error) {
	r := reader{text: text}
	var value Value
	if err := r.value(&value, 0); err != nil {
		return Value{}, err
	}
	r.space()
	if r.at != len(text) {
		return Value{}, errNone
	}
	return value, nil
}

type reader struct {
	text string
	at   int
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next is the byte at which the reader stands after spaces; 0 at the end.
func (r *reader) next() byte {
	r.space()
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) value(to *Value, depth int) error {
	if depth > deepest {
		return errDeep
	}
	switch c := r.next(); {
	case c == '"':
		text, err := r.string()
		to.Kind, to.Text = String, text
		return err
	case c == '{':
		return r.object(to, depth)
	case c == '[':
		return r.list(to, depth)
	case c == '-' || '0' <= c && c <= '9':
		if r.word("-Infinity") {
			to.Kind, to.Number = Float, math.Inf(-1)
			return nil
		}
		return r.number(to)
	case r.word("null"):
		to.Kind = Null
	case r.word("true"):
		to.Kind, to.Bool = Bool, true
	case r.word("false"):
		to.Kind = Bool
	case r.word("NaN"):
		to.Kind, to.Number = Float, math.NaN()
	case r.word("Infinity"):
		to.Kind, to.Number = Float, math.Inf(1)
	default:
		return errNone
	}
	return nil
}

func (r *reader) word(word string) bool {
	is := strings.HasPrefix(r.text[r.at:], word)
	if is {
		r.at += len(word)
	}
	return is
}

func (r *reader) object(to *Value, depth int) error {
	made := Build(to)
	r.at++
	if r.next() == '}' {
		r.at++
		return nil
	}
	for {
		if r.next() != '"' {
			return errNone
		}
		key, err := r.string()
		if err != nil {
			return err
		}
		if r.next() != ':' {
			return errNone
		}
		r.at++
		var value Value
		if err := r.value(&value, depth+1); err != nil {
			return err
		}
		made.Set(key, value)
		switch r.next() {
		case ',':
			r.at++
		case '}':
			r.at++
			return nil
		default:
			return errNone
		}
	}
}

func (r *reader) list(to *Value, depth int) error {
	to.Kind = List
	r.at++
	if r.next() == ']' {
		r.at++
		return nil
	}
	for {
		var item Value
		if err := r.value(&item, depth+1); err != nil {
			return err
		}
		to.Items = append(to.Items, item)
		switch r.next() {
		case ',':
			r.at++
		case ']':
			r.at++
			return nil
		default:
			return errNone
		}
	}
}

// number reads the longest number that begins here; whatever follows is for the caller to refuse.
func (r *reader) number(to *Value) error {
	from, at := r.at, r.at
	if r.text[at] == '-' {
		at++
	}
	whole := digits(r.text, at)
	switch {
	case whole == at:
		return errNone
	case r.text[at] == '0':
		at++
	default:
		at = whole
	}
	ends, isFloat := at, false
	if at < len(r.text) && r.text[at] == '.' {
		if end := digits(r.text, at+1); end > at+1 {
			ends, isFloat = end, true
		}
	}
	if at = ends; at < len(r.text) && r.text[at]|0x20 == 'e' {
		at++
		if at < len(r.text) && (r.text[at] == '+' || r.text[at] == '-') {
			at++
		}
		if end := digits(r.text, at); end > at {
			ends, isFloat = end, true
		}
	}
	r.at = ends
	said := r.text[from:ends]
	if isFloat {
		to.Kind = Float
		to.Number, _ = strconv.ParseFloat(said, 64) // too large is infinite
		return nil
	}
	if len(strings.TrimPrefix(said, "-")) > longest {
		return errNone
	}
	if said == "-0" {
		said = "0"
	}
	to.Kind, to.Text = Int, said
	return nil
}

func digits(text string, at int) int {
	for at < len(text) && '0' <= text[at] && text[at] <= '9' {
		at++
	}
	return at
}
