package normalise

import (
	"strings"
	"unicode/utf8"
)

const (
	// keyOther leads the key of a dictionary that is no text: what follows is how JSON writes it.
	keyOther = "\xff"
	// keyUnwritable leads one that JSON cannot write.
	keyUnwritable = "\xfe"
	// literalLimit is the size from which on no Python literal is looked for.
	literalLimit = 65_536
	// nested is how many brackets Python lets be open.
	nested = 200
)

// literal is a JSON value, or a Python literal as repr writes it.
func literal(source string) (value, bool) {
	found, ok, isDeep := parse(source)
	if ok || isDeep {
		return found, ok
	}
	if source == "" || source[0] != '{' && source[0] != '[' {
		return value{}, false
	}
	if strings.Count(source, "[") > nested || strings.Count(source, "{") > nested || utf8.RuneCountInString(source) > literalLimit {
		return value{}, false
	}
	if strings.IndexByte(source, 0) >= 0 || !utf8.ValidString(source) {
		return value{}, false
	}
	p := python{source: strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")}
	made, ok := p.expression()
	return made.value, ok && p.isEnd()
}

// python reads the literals that ast.literal_eval knows. It knows no letters by name (\N{DASH}): a text with one is none.
type python struct {
	source string
	at     int
	depth  int
}

// sign says what arithmetic a term has: literal_eval takes one sign, and one sum with an imaginary number.
type sign uint8

const (
	noNumber sign = iota
	plainNumber
	signedNumber
)

type term struct {
	value
	sign sign
}

// space skips white space, comments and ends of lines inside brackets.
func (p *python) space() {
	for p.at < len(p.source) {
		switch c := p.source[p.at]; {
		case c == ' ' || c == '\t' || c == '\f' || c == '\n':
			p.at++
		case c == '\\' && strings.HasPrefix(p.source[p.at:], "\\\n"):
			p.at += 2
		case c == '#':
			end := strings.IndexByte(p.source[p.at:], '\n')
			if end < 0 {
				end = len(p.source) - p.at
			}
			p.at += end
		default:
			return
		}
	}
}

// isEnd says whether only empty lines and comments follow; a last line of spaces alone would be indented.
func (p *python) isEnd() bool {
	lines := strings.Split(p.source[p.at:], "\n")
	for i, line := range lines {
		said := strings.Trim(line, " \t\f")
		if said != "" && said[0] != '#' || said == "" && line != "" && i > 0 && i == len(lines)-1 {
			return false
		}
	}
	return true
}

func (p *python) peek() byte {
	if p.at < len(p.source) {
		return p.source[p.at]
	}
	return 0
}

// expression reads a term, or a sum of a number and an imaginary one.
func (p *python) expression() (term, bool) {
	left, ok := p.signed()
	if !ok {
		return left, false
	}
	if p.depth == 0 {
		return left, true
	}
	p.space()
	if c := p.peek(); c != '+' && c != '-' {
		return left, true
	}
	p.at++
	p.space()
	right, ok := p.primary()
	if !ok || left.sign == noNumber || left.kind == kindImaginary || right.sign != plainNumber || right.kind != kindImaginary {
		return left, false
	}
	p.space()
	if c := p.peek(); c == '+' || c == '-' {
		return left, false
	}
	if left.isTruthy() {
		right.number = 1
	}
	return term{value: right.value}, true
}

func (p *python) signed() (term, bool) {
	c := p.peek()
	if c != '+' && c != '-' {
		return p.primary()
	}
	p.at++
	p.space()
	found, ok := p.primary()
	if !ok || found.sign != plainNumber {
		return found, false
	}
	found.sign = signedNumber
	if c == '-' {
		found.number = -found.number
		if found.kind == kindInt && found.text != "0" {
			found.text = "-" + found.text
		}
	}
	return found, true
}

func (p *python) primary() (term, bool) {
	switch c := p.peek(); {
	case c == '[' || c == '{' || c == '(':
		if p.depth++; p.depth > nested {
			return term{}, false
		}
		p.at++
		found, ok := p.bracket(c)
		p.depth--
		return found, ok
	case '0' <= c && c <= '9' || c == '.' && !strings.HasPrefix(p.source[p.at:], "..."):
		return p.number()
	case c == '.':
		p.at += 3
		return term{value: value{kind: kindEllipsis}}, true
	}
	if found, is, ok := p.texts(); is {
		return term{value: found}, ok
	}
	return p.name()
}

var words = map[string]value{
	"None": {kind: kindNull}, "True": {kind: kindBool, is: true}, "False": {kind: kindBool}, "set": {kind: kindSet},
}

func (p *python) name() (term, bool) {
	start := p.at
	for p.at < len(p.source) && isName(p.source[p.at]) {
		p.at++
	}
	found, ok := words[p.source[start:p.at]]
	if found.kind == kindSet {
		for _, bracket := range []byte("()") {
			p.space()
			if p.peek() != bracket {
				return term{}, false
			}
			p.at++
		}
	}
	return term{value: found}, ok
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}

// bracket reads a list, a tuple, a dictionary, a set, or a term in brackets; the opening one is read.
func (p *python) bracket(open byte) (found term, ok bool) {
	closing := map[byte]byte{'[': ']', '{': '}', '(': ')'}[open]
	found.kind = map[byte]kind{'[': kindList, '{': kindObject, '(': kindTuple}[open]
	known := dictionary{numbers: map[string]string{}}
	isComma := false
	for {
		if p.space(); p.peek() == closing {
			p.at++
			return found, true
		}
		if len(found.items) > 0 && !isComma {
			return found, false
		}
		item, ok := p.expression()
		if !ok {
			return found, false
		}
		p.space()
		if open != '{' {
			found.items = append(found.items, item.value)
		} else if !p.member(&found.value, item, &known) {
			return found, false
		}
		p.space()
		isComma = p.peek() == ','
		switch {
		case isComma:
			p.at++
		case open == '(' && len(found.items) == 1 && p.peek() == closing:
			p.at++
			return item, true
		}
	}
}
