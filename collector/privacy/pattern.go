package privacy

import (
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// pattern is a regular expression with the meaning it has in the ingester: words, digits and spaces are those of Unicode.
//
// The engine of Go knows word boundaries of ASCII only, so only its parser and its compiler are used: matcher runs the pattern, in
// time linear in the text. It runs where the text has what every match must have, see `hints`.
//
// Patterns of users differ from those of the ingester in syntax only: counts are at most 1000, and there are no flags `x`, `u`
// and `R`, no operations on classes, no classes within classes, no `\u{..}` and no names of properties beyond categories and
// scripts. What Go would read otherwise without a word is refused (see translate).
type pattern struct {
	prog     *syntax.Prog
	hints    hints
	matchers sync.Pool
}

func compile(text string, in *flavour) (*pattern, error) {
	translated, err := translate(text, in)
	if err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, err
	}
	tree = tree.Simplify()
	prog, err := syntax.Compile(tree)
	if err != nil {
		return nil, err
	}
	p := &pattern{prog: prog, hints: hintsOf(tree, prog)}
	p.matchers.New = func() any {
		return &matcher{prog: prog, hints: &p.hints, isWord: in.isWord, seen: make([]int, len(prog.Inst))}
	}
	return p, nil
}

// matches says whether the pattern is found in a text.
func (p *pattern) matches(text string) bool {
	if !p.hints.allow(text) {
		return false
	}
	m := p.matchers.Get().(*matcher)
	defer p.matchers.Put(m)
	_, _, is := m.next(text, 0, len(text))
	return is
}

// replace puts another text in place of every match.
func (p *pattern) replace(text, with string) string {
	if !p.hints.allow(text) {
		return text
	}
	m := p.matchers.Get().(*matcher)
	defer p.matchers.Put(m)
	var made strings.Builder
	copied, last := 0, -1
	for from, end := p.hints.stretch(text, 0); from >= 0; from, end = p.hints.stretch(text, end+1) {
		for at := from; at <= end; {
			first, after, is := m.next(text, at, end)
			if !is {
				break
			}
			if first < after || first != last { // no empty match right behind another one
				made.WriteString(text[copied:first])
				made.WriteString(with)
				copied, last = after, after
			}
			if at = after; first == after {
				_, size := utf8.DecodeRuneInString(text[after:])
				at += max(size, 1)
			}
		}
	}
	if last < 0 {
		return text
	}
	made.WriteString(text[copied:])
	return made.String()
}
