package normalise

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// dictionary is what is known of the keys of one.
type dictionary struct {
	places  map[string]int
	numbers map[string]string
}

// member adds to a dictionary or, where no colon follows, to a set.
func (p *python) member(found *value, key term, known *dictionary) bool {
	if !isHashable(&key.value) {
		return false
	}
	if p.peek() != ':' {
		if len(found.items) == 0 {
			found.kind = kindSet
		}
		found.items = append(found.items, key.value)
		return found.kind == kindSet
	}
	if found.kind == kindSet {
		return false
	}
	p.at++
	p.space()
	item, ok := p.expression()
	if ok {
		known.places = found.add(known.key(&key.value, len(found.keys)), item.value, known.places)
	}
	return ok
}

func isHashable(v *value) bool {
	for i := range v.items {
		if !isHashable(&v.items[i]) {
			return false
		}
	}
	return v.kind != kindList && v.kind != kindObject && v.kind != kindSet
}

// key is how a key is kept; of those that Python takes for equal (1, 1.0, True) it is the one that came first.
func (d *dictionary) key(key *value, count int) string {
	if key.kind == kindText {
		return key.text
	}
	made, ok := appendDump([]byte(keyOther), key)
	if !ok || key.kind == kindTuple {
		return keyUnwritable + strconv.Itoa(count)
	}
	name := string(made)
	number := name
	switch {
	case key.kind == kindBool && key.is:
		number = keyOther + "1"
	case key.kind == kindBool:
		number = keyOther + "0"
	case key.kind == kindDouble && key.number == 0:
		number = keyOther + "0"
	case key.kind == kindDouble && key.number == math.Trunc(key.number) && !math.IsInf(key.number, 0):
		number = keyOther + strconv.FormatFloat(key.number, 'f', 0, 64)
	}
	if first, is := d.numbers[number]; is {
		return first
	}
	d.numbers[number] = name
	return name
}

var numberPattern = regexp.MustCompile(`^(?:(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)` +
	`|((?:(?:[0-9](?:_?[0-9])*)?\.(?:[0-9](?:_?[0-9])*)|(?:[0-9](?:_?[0-9])*)\.|(?:[0-9](?:_?[0-9])*))(?:[eE][+-]?(?:[0-9](?:_?[0-9])*))?[jJ]?))`)

var wholePattern = regexp.MustCompile(`^(?:[1-9](?:_?[0-9])*|0(?:_?0)*)$`)

func (p *python) number() (term, bool) {
	end := p.at
	for end < len(p.source) && (isName(p.source[end]) || strings.IndexByte(".+-", p.source[end]) >= 0) {
		end++
	}
	said := numberPattern.FindString(p.source[p.at:end])
	p.at += len(said)
	if said == "" || isName(p.peek()) || p.peek() == '.' {
		return term{}, false
	}
	made := term{sign: plainNumber}
	plain := strings.ReplaceAll(said, "_", "")
	if len(said) > 1 && said[0] == '0' && strings.ContainsAny(said[1:2], "xXoObB") || wholePattern.MatchString(said) {
		base := 10
		if len(plain) > 1 && strings.ContainsAny(plain[1:2], "xXoObB") {
			base = 0
		}
		digits, ok := new(big.Int).SetString(plain, base)
		if !ok {
			return term{}, false
		}
		made.kind, made.text = kindInt, digits.String()
		return made, len(made.text) <= longest
	}
	made.kind = kindDouble
	if body := strings.TrimRight(plain, "jJ"); body != plain {
		made.kind, plain = kindImaginary, body
	} else if !strings.ContainsAny(plain, ".eE") {
		return term{}, false // a leading zero
	}
	made.value.number, _ = strconv.ParseFloat(plain, 64)
	return made, true
}
