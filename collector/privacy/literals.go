package privacy

import (
	"regexp/syntax"
	"slices"
	"unicode"
)

// mostLiterals is how many literals are looked for before a search.
const mostLiterals = 24

// literals is what is known about the texts that a part of a pattern matches.
type literals struct {
	// all: these and no others are matched; nil where they are too many.
	all []string
	// some: one of these is in each; nil where nothing is known.
	some []string
}

// best gives literals of which each match has one.
func (l literals) best() []string {
	if better(l.all, l.some) {
		return l.all
	}
	return l.some
}

// better prefers longer literals, then fewer.
func better(a, b []string) bool {
	if a == nil || least(a) == 0 {
		return false
	}
	return b == nil || least(a) > least(b) || (least(a) == least(b) && len(a) < len(b))
}

func least(texts []string) int {
	n := len(texts[0])
	for _, text := range texts {
		n = min(n, len(text))
	}
	return n
}

func literalsOf(tree *syntax.Regexp) literals {
	switch tree.Op {
	case syntax.OpLiteral:
		var parts []literals
		for _, r := range tree.Rune {
			same := []string{string(r)}
			if tree.Flags&syntax.FoldCase != 0 {
				for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
					same = append(same, string(next))
				}
			}
			parts = append(parts, literals{all: same})
		}
		return inTurn(parts)
	case syntax.OpCharClass:
		return literals{all: members(tree.Rune)}
	case syntax.OpCapture:
		return literalsOf(tree.Sub[0])
	case syntax.OpPlus:
		return literals{some: literalsOf(tree.Sub[0]).best()}
	case syntax.OpQuest:
		if all := literalsOf(tree.Sub[0]).all; all != nil {
			return literals{all: append(slices.Clone(all), "")}
		}
		return literals{}
	case syntax.OpConcat:
		var parts []literals
		for _, sub := range tree.Sub {
			parts = append(parts, literalsOf(sub))
		}
		return inTurn(parts)
	case syntax.OpAlternate:
		made := literalsOf(tree.Sub[0])
		for _, sub := range tree.Sub[1:] {
			made = made.or(literalsOf(sub))
		}
		return made
	case syntax.OpStar, syntax.OpRepeat, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return literals{}
	}
	return literals{all: []string{""}} // boundaries and the like
}

// members lists the characters of a class.
func members(ranges []rune) (all []string) {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(all) == mostLiterals {
				return nil
			}
			all = append(all, string(r))
		}
	}
	return all
}

// inTurn is what is known of parts one behind the other.
func inTurn(parts []literals) (made literals) {
	now, isWhole := []string{""}, true
	for _, part := range parts {
		if part.all != nil && len(now)*len(part.all) <= mostLiterals {
			var longer []string
			for _, first := range now {
				for _, second := range part.all {
					longer = append(longer, first+second)
				}
			}
			now = longer
			continue
		}
		isWhole = false
		for _, found := range [][]string{now, part.some} {
			if better(found, made.some) {
				made.some = found
			}
		}
		if now = part.all; now == nil {
			now = []string{""}
		}
	}
	if isWhole {
		made.all = now
	} else if better(now, made.some) {
		made.some = now
	}
	return made
}

// or is what is known of one part or another.
func (l literals) or(other literals) (made literals) {
	if l.all != nil && other.all != nil && len(l.all)+len(other.all) <= mostLiterals {
		made.all = append(slices.Clone(l.all), other.all...)
	}
	if a, b := l.best(), other.best(); a != nil && b != nil && len(a)+len(b) <= mostLiterals {
		made.some = append(slices.Clone(a), b...)
	}
	return made
}
