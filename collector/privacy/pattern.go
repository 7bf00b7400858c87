package privacy

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// pattern is a regular expression with the meaning it has in the ingester: words, digits and spaces are those of Unicode.
//
// The engine of Go knows classes of Unicode but word boundaries only of ASCII. Texts in ASCII are its business alone; in other
// texts a pattern with boundaries runs in matcher, once `loose`, which is the same without boundaries, has found something.
//
// Patterns of users differ from those of the ingester in syntax only: counts are at most 1000, and there are no flags `x`, `u`
// and `R`, no operations on classes, no classes within classes, no `\u{..}` and no names of properties beyond categories and
// scripts. What Go would read otherwise without a word is refused (see translate).
type pattern struct {
	strict, loose *regexp.Regexp
	prog          *syntax.Prog
	isWord        func(rune) bool
}

func compile(text string, in *flavour) (*pattern, error) {
	translated, err := translate(text, in)
	if err != nil {
		return nil, err
	}
	strict, err := regexp.Compile(translated)
	if err != nil {
		return nil, err
	}
	p := &pattern{strict: strict, isWord: in.isWord}
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if !hasBoundary(tree) {
		return p, nil
	}
	if p.prog, err = syntax.Compile(tree.Simplify()); err != nil {
		return nil, err
	}
	withoutBoundaries(tree)
	p.loose, err = regexp.Compile(tree.String())
	return p, err
}

func isBoundary(op syntax.Op) bool {
	return op == syntax.OpWordBoundary || op == syntax.OpNoWordBoundary
}

func hasBoundary(tree *syntax.Regexp) bool {
	for _, sub := range tree.Sub {
		if hasBoundary(sub) {
			return true
		}
	}
	return isBoundary(tree.Op)
}

func withoutBoundaries(tree *syntax.Regexp) {
	if isBoundary(tree.Op) {
		tree.Op = syntax.OpEmptyMatch
	}
	for _, sub := range tree.Sub {
		withoutBoundaries(sub)
	}
}

// isPlain says whether the engine of Go has the right answer for this text.
func (p *pattern) isPlain(text string) bool {
	if p.prog == nil {
		return true
	}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// matches says whether the pattern is found in a text.
func (p *pattern) matches(text string) bool {
	if p.isPlain(text) {
		return p.strict.MatchString(text)
	}
	if !p.loose.MatchString(text) {
		return false
	}
	_, _, is := newMatcher(p.prog, p.isWord, text).next(0)
	return is
}

// replace puts another text in place of every match.
func (p *pattern) replace(text, with string) string {
	if p.isPlain(text) {
		if !p.strict.MatchString(text) {
			return text
		}
		return p.strict.ReplaceAllLiteralString(text, with)
	}
	if !p.loose.MatchString(text) {
		return text
	}
	var made strings.Builder
	matcher := newMatcher(p.prog, p.isWord, text)
	copied, at, last := 0, 0, -1
	for at <= len(text) {
		from, to, is := matcher.next(at)
		if !is {
			break
		}
		if from < to || from != last { // no empty match right behind another one
			made.WriteString(text[copied:from])
			made.WriteString(with)
			copied, last = to, to
		}
		if at = to; from == to {
			_, size := utf8.DecodeRuneInString(text[to:])
			at += max(size, 1)
		}
	}
	made.WriteString(text[copied:])
	return made.String()
}
