package privacy

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

// flavour is what an engine of the ingester means by words and spaces; digits are the same for all.
type flavour struct{ isWord, isSpace func(rune) bool }

// python is the engine in which keys of content are matched; rust the one in which texts are redacted.
var (
	python = flavour{pytext.IsWord, pytext.IsSpace}
	rust   = flavour{isRustWord, unicode.IsSpace}
)

func isRustWord(r rune) bool {
	if r < 0x80 {
		return pytext.IsWord(r)
	}
	return r == 0x200C || r == 0x200D || unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic)
}

// translate writes a pattern so that Go takes `\d`, `\w`, `\s` and their opposites for what the ingester takes them. It refuses
// what Go would take for something else without saying so.
func translate(text string, in *flavour) (string, error) {
	var made strings.Builder
	isClass := false
	for at := 0; at < len(text); at++ {
		c := text[at]
		next := byte(0)
		if at+1 < len(text) {
			next = text[at+1]
		}
		switch {
		case c == '\\' && next != 0:
			at++
			if ranges := in.class(next); ranges != "" {
				if isClass {
					made.WriteString(ranges)
				} else {
					made.WriteString("[" + ranges + "]")
				}
				continue
			}
			isBraced := next == 'b' && strings.HasPrefix(text[at+1:], "{")
			if isBraced || strings.IndexByte("Q0<>", next) >= 0 {
				return "", fmt.Errorf(`\%c is not known in patterns`, next)
			}
			made.WriteString(text[at-1 : at+1])
		case isClass && c == '[' && next == ':':
			end := strings.Index(text[at:], ":]")
			if end < 0 {
				return "", errors.New("a class has no end")
			}
			made.WriteString(text[at : at+end+2])
			at += end + 1
		case isClass && (c == '[' || (c == next && strings.IndexByte("&-~", c) >= 0)):
			return "", errors.New("classes within classes, and operations on classes, are not known in patterns")
		case isClass:
			isClass = c != ']'
			made.WriteByte(c)
		case c == '[':
			isClass = true
			made.WriteByte(c)
			if next == '^' {
				at++
				made.WriteByte(next)
			}
			if strings.HasPrefix(text[at+1:], "]") { // as a member
				at++
				made.WriteString(`\]`)
			}
		case c == '{' && (next < '0' || next > '9'):
			return "", errors.New("a count has no number")
		default:
			made.WriteByte(c)
		}
	}
	return made.String(), nil
}

// class gives the ranges of `\d` and its like; empty for other letters.
func (f *flavour) class(letter byte) string {
	switch letter {
	case 'd':
		return `\p{Nd}`
	case 'D':
		return `\P{Nd}`
	case 'w', 'W':
		return ranges(f.isWord, letter == 'w')
	case 's', 'S':
		return ranges(f.isSpace, letter == 's')
	}
	return ""
}

func ranges(is func(rune) bool, wanted bool) string {
	var made strings.Builder
	from := rune(-1)
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		isIn := r <= unicode.MaxRune && is(r) == wanted
		if isIn && from < 0 {
			from = r
		} else if !isIn && from >= 0 {
			fmt.Fprintf(&made, `\x{%x}-\x{%x}`, from, r-1)
			from = -1
		}
	}
	return made.String()
}
