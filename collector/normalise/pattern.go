package normalise

import (
	"fmt"
	"regexp"
	"strings"
)

// The classes of Rust's regular expressions know all of Unicode, those of Go only ASCII.
const (
	wordClass = `\pL\pM\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}`
	// pythonClass is what Python takes for part of a word; patterns of keys are Python's.
	pythonClass = `\pL\pN_`
	digitClass  = `\p{Nd}`
	spaceClass  = `\t-\r\x{85}\pZ`
)

// pattern is a regular expression, with what a text must have to match it.
type pattern struct {
	*regexp.Regexp
	needles []needle
}

// compile makes a regular expression that finds what Polars finds, or with pythonClass what Python's re finds.
// Letters that are younger than Go's tables (Unicode 15) are in no class.
func compile(expression, word string) (*pattern, error) {
	var made strings.Builder
	isClass := false
	for i := 0; i < len(expression); i++ {
		c := expression[i]
		if c == '[' && !isClass {
			isClass = true
			made.WriteByte(c)
			// A bracket at the beginning of a class is a letter of it.
			for _, lead := range []string{"^", "]"} {
				if strings.HasPrefix(expression[i+1:], lead) {
					made.WriteString(lead)
					i++
				}
			}
			continue
		}
		isClass = isClass && c != ']'
		if c != '\\' || i+1 == len(expression) {
			made.WriteByte(c)
			continue
		}
		i++
		class := map[byte]string{'w': word, 'd': digitClass, 's': spaceClass}[expression[i]|0x20]
		isNegative := expression[i]&0x20 == 0
		switch {
		case expression[i] == 'b' && i+1 == len(expression):
			// At the end of a word; only the first group counts, so what comes after may be part of the match.
			made.WriteString("(?:[^" + word + "]|$)")
		case expression[i]|0x20 == 'b':
			return nil, fmt.Errorf("pattern %s: \\%c is done only as \\b at the end", expression, expression[i])
		case class == "":
			made.WriteByte('\\')
			made.WriteByte(expression[i])
		case isClass && isNegative:
			return nil, fmt.Errorf("pattern %s: \\%c inside brackets is not done", expression, expression[i])
		case isClass:
			made.WriteString(class)
		case isNegative:
			made.WriteString("[^" + class + "]")
		default:
			made.WriteString("[" + class + "]")
		}
	}
	found, err := regexp.Compile(made.String())
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", expression, err)
	}
	return &pattern{found, needles(made.String())}, nil
}

// group is the first group of a match.
func (p *pattern) group(said string) (string, bool) {
	if !p.mayMatch(said) {
		return "", false
	}
	found := p.FindStringSubmatchIndex(said)
	if len(found) < 4 || found[2] < 0 {
		return "", false
	}
	return said[found[2]:found[3]], true
}

func (p *pattern) mayMatch(said string) bool {
	for _, one := range p.needles {
		if one.isIn(said) {
			return true
		}
	}
	return len(p.needles) == 0
}
