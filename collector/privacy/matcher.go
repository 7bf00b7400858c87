package privacy

import (
	"regexp/syntax"
	"unicode/utf8"
)

// matcher runs a compiled pattern over texts, in time linear in the text: all ways to match go on side by side, the preferred ones
// first. One at a time may use it.
type matcher struct {
	prog           *syntax.Prog
	hints          *hints
	isWord         func(rune) bool
	waiting, ready []thread
	seen           []int
	round          int
}

// thread is one way to match that is still possible.
type thread struct {
	pc   uint32
	from int
}

// next finds the first match that lies between two places of a text; what is around them counts for boundaries.
func (m *matcher) next(text string, at, end int) (from, to int, is bool) {
	waiting, ready := m.waiting[:0], m.ready[:0]
	for {
		if len(waiting) == 0 {
			if at = m.hints.start(text, at, end); at < 0 {
				return 0, 0, false
			}
		}
		flags := m.flags(text, at)
		m.round++
		ready = ready[:0]
		for _, t := range waiting {
			ready = m.add(ready, t, flags)
		}
		if !is { // what began earlier is preferred
			ready = m.add(ready, thread{uint32(m.prog.Start), at}, flags)
		}
		r, size := utf8.DecodeRuneInString(text[at:end])
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
func (m *matcher) flags(text string, at int) (flags syntax.EmptyOp) {
	isWordBefore, isWordAfter := false, false
	if at == 0 {
		flags |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	} else {
		before := rune(text[at-1])
		if before >= utf8.RuneSelf {
			before, _ = utf8.DecodeLastRuneInString(text[:at])
		}
		if isWordBefore = m.isWord(before); before == '\n' {
			flags |= syntax.EmptyBeginLine
		}
	}
	if at == len(text) {
		flags |= syntax.EmptyEndText | syntax.EmptyEndLine
	} else {
		after := rune(text[at])
		if after >= utf8.RuneSelf {
			after, _ = utf8.DecodeRuneInString(text[at:])
		}
		if isWordAfter = m.isWord(after); after == '\n' {
			flags |= syntax.EmptyEndLine
		}
	}
	if isWordBefore != isWordAfter {
		return flags | syntax.EmptyWordBoundary
	}
	return flags | syntax.EmptyNoWordBoundary
}
