package privacy

import (
	"regexp/syntax"
	"unicode/utf8"
)

// matcher runs a compiled pattern over one text, in time linear in the text: all ways to match go on side by side, the preferred
// ones first. It differs from the engine of Go in who decides what a word is.
type matcher struct {
	prog           *syntax.Prog
	isWord         func(rune) bool
	text           string
	waiting, ready []thread
	seen           []int
	round          int
}

// thread is one way to match that is still possible.
type thread struct {
	pc   uint32
	from int
}

func newMatcher(prog *syntax.Prog, isWord func(rune) bool, text string) *matcher {
	return &matcher{prog: prog, isWord: isWord, text: text, seen: make([]int, len(prog.Inst))}
}

// next finds the first match that begins at or after a place.
func (m *matcher) next(at int) (from, to int, is bool) {
	waiting, ready := m.waiting[:0], m.ready[:0]
	for {
		flags := m.flags(at)
		m.round++
		ready = ready[:0]
		for _, t := range waiting {
			ready = m.add(ready, t, flags)
		}
		if !is { // what began earlier is preferred
			ready = m.add(ready, thread{uint32(m.prog.Start), at}, flags)
		}
		r, size := utf8.DecodeRuneInString(m.text[at:])
		waiting = waiting[:0]
		for _, t := range ready {
			inst := &m.prog.Inst[t.pc]
			if inst.Op == syntax.InstMatch {
				from, to, is = t.from, at, true
				break // what comes after is less preferred
			}
			if size > 0 && inst.MatchRune(r) {
				waiting = append(waiting, thread{inst.Out, t.from})
			}
		}
		m.waiting, m.ready = waiting, ready
		if size == 0 || (is && len(waiting) == 0) {
			return from, to, is
		}
		at += size
	}
}

// add follows everything that needs no character.
func (m *matcher) add(to []thread, t thread, flags syntax.EmptyOp) []thread {
	if m.seen[t.pc] == m.round {
		return to
	}
	m.seen[t.pc] = m.round
	inst := &m.prog.Inst[t.pc]
	out := thread{inst.Out, t.from}
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return m.add(m.add(to, out, flags), thread{inst.Arg, t.from}, flags)
	case syntax.InstCapture, syntax.InstNop:
		return m.add(to, out, flags)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(inst.Arg)&^flags == 0 {
			return m.add(to, out, flags)
		}
		return to
	case syntax.InstFail:
		return to
	}
	return append(to, t)
}

// flags says what is true between two characters.
func (m *matcher) flags(at int) (flags syntax.EmptyOp) {
	before, after := rune('\n'), rune('\n')
	isWordBefore, isWordAfter := false, false
	if at == 0 {
		flags |= syntax.EmptyBeginText
	} else {
		before, _ = utf8.DecodeLastRuneInString(m.text[:at])
		isWordBefore = m.isWord(before)
	}
	if at == len(m.text) {
		flags |= syntax.EmptyEndText
	} else {
		after, _ = utf8.DecodeRuneInString(m.text[at:])
		isWordAfter = m.isWord(after)
	}
	if before == '\n' {
		flags |= syntax.EmptyBeginLine
	}
	if after == '\n' {
		flags |= syntax.EmptyEndLine
	}
	if isWordBefore != isWordAfter {
		return flags | syntax.EmptyWordBoundary
	}
	return flags | syntax.EmptyNoWordBoundary
}
