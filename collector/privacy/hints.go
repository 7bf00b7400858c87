package privacy

import (
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hints says what every match of a pattern has, so that most texts and most of a text need no search.
type hints struct {
	// canBeEmpty: a match may have no characters, so that nothing can be said.
	canBeEmpty bool
	// shortest is how many bytes a match has at least.
	shortest int
	// literals: every match has one of these in it; without any, nothing is known.
	literals []string
	// starts and inside: the bytes a match can begin with, and those it can have.
	starts, inside [256]bool
}

func hintsOf(tree *syntax.Regexp, prog *syntax.Prog) (h hints) {
	h.shortest = shortest(tree)
	h.literals = literalsOf(tree).best()
	for i := range prog.Inst {
		mark(&h.inside, &prog.Inst[i])
	}
	seen := make([]bool, len(prog.Inst))
	var follow func(pc uint32)
	follow = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		inst := &prog.Inst[pc]
		switch inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			follow(inst.Out)
			follow(inst.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			follow(inst.Out)
		case syntax.InstMatch:
			h.canBeEmpty = true
		default:
			mark(&h.starts, inst)
		}
	}
	follow(uint32(prog.Start))
	return h
}

// mark notes the bytes with which the characters of an instruction can begin; beyond ASCII, all or none.
func mark(bytes *[256]bool, inst *syntax.Inst) {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
	default:
		return
	}
	for c := range rune(utf8.RuneSelf) {
		bytes[c] = bytes[c] || inst.MatchRune(c)
	}
	last := inst.Rune[len(inst.Rune)-1]
	if last < utf8.RuneSelf && len(inst.Rune) == 1 && syntax.Flags(inst.Arg)&syntax.FoldCase != 0 {
		for r := unicode.SimpleFold(last); r != inst.Rune[0]; r = unicode.SimpleFold(r) {
			last = max(last, r)
		}
	}
	for c := utf8.RuneSelf; last >= utf8.RuneSelf && c < len(bytes); c++ {
		bytes[c] = true
	}
}

// allow says whether a match is possible at all.
func (h *hints) allow(text string) bool {
	if len(text) < h.shortest {
		return false
	}
	for _, literal := range h.literals {
		if strings.Contains(text, literal) {
			return true
		}
	}
	return h.literals == nil
}

// stretch finds the next part of a text that consists of what matches consist of, and in which one is possible; -1 when there is none.
func (h *hints) stretch(text string, at int) (from, end int) {
	if h.canBeEmpty {
		if at == 0 {
			return 0, len(text)
		}
		return -1, -1
	}
	for at < len(text) {
		for at < len(text) && !h.inside[text[at]] {
			at++
		}
		from = at
		for at < len(text) && h.inside[text[at]] {
			at++
		}
		if from < at && h.allow(text[from:at]) {
			return from, at
		}
	}
	return -1, -1
}

// start is the next place where a match can begin, or -1.
func (h *hints) start(text string, at, end int) int {
	if h.canBeEmpty {
		return at
	}
	for ; at < end; at++ {
		if h.starts[text[at]] && utf8.RuneStart(text[at]) {
			return at
		}
	}
	return -1
}

func shortest(tree *syntax.Regexp) int {
	switch tree.Op {
	case syntax.OpLiteral:
		return len(tree.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(tree.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, sub := range tree.Sub {
			n += shortest(sub)
		}
		return n
	case syntax.OpAlternate:
		n := shortest(tree.Sub[0])
		for _, sub := range tree.Sub[1:] {
			n = min(n, shortest(sub))
		}
		return n
	}
	return 0
}
