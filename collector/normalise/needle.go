package normalise

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// needle is a text of which every match has one; a quick look for it saves most runs of a slow pattern over long texts.
type needle struct {
	text   string
	isFold bool // in upper or lower case; then it is lower case and ASCII
}

// needles are the texts one of which every match of a pattern has; none where that cannot be told.
func needles(expression string) []needle {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	return needlesOf(parsed.Simplify())
}

func needlesOf(part *syntax.Regexp) []needle {
	switch part.Op {
	case syntax.OpLiteral:
		one := needle{string(part.Rune), part.Flags&syntax.FoldCase != 0}
		if one.isFold {
			one.text = strings.ToLower(one.text)
		}
		if one.isFold && !isASCII(one.text) || len(one.text) < 3 {
			return nil
		}
		return []needle{one}
	case syntax.OpCapture, syntax.OpPlus:
		return needlesOf(part.Sub[0])
	case syntax.OpConcat:
		for _, inner := range part.Sub {
			if found := needlesOf(inner); found != nil {
				return found
			}
		}
	case syntax.OpAlternate:
		var all []needle
		for _, inner := range part.Sub {
			found := needlesOf(inner)
			if found == nil {
				return nil
			}
			all = append(all, found...)
		}
		return all
	}
	return nil
}

// isIn looks for the needle; a text with one of the two letters beyond ASCII that are ASCII in lower case may have it.
func (n needle) isIn(text string) bool {
	if !n.isFold {
		return strings.Contains(text, n.text)
	}
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf && (strings.HasPrefix(text[i:], "ſ") || strings.HasPrefix(text[i:], "\u212a")) {
			return true
		}
		if c|0x20 == n.text[0]|0x20 && i+len(n.text) <= len(text) && strings.EqualFold(text[i:i+len(n.text)], n.text) {
			return true
		}
	}
	return false
}
