package privacy

import "github.com/actorscope/actorscope/collector/privacy/internal/pytext"

// glob is a pattern of shells for whole keys, in which case means nothing: `*` any text, `?` any character, `[a-c]` one of some
// characters, `[!a-c]` any other. A bracket without an end stands for itself.
type glob []piece

type piece struct {
	isStar, isAny, isNot bool
	ranges               [][2]rune
}

func newGlob(text string) glob {
	var made glob
	runes := []rune(text)
	for at := 0; at < len(runes); at++ {
		switch r := runes[at]; {
		case r == '*':
			made = append(made, piece{isStar: true})
		case r == '?':
			made = append(made, piece{isAny: true})
		case r == '[' && bracketEnd(runes, at) > 0:
			end := bracketEnd(runes, at)
			made = append(made, newBracket(runes[at+1:end]))
			at = end
		default:
			made = append(made, piece{ranges: [][2]rune{{r, r}}})
		}
	}
	return made
}

// bracketEnd is where a bracket is closed; one that comes first is a member.
func bracketEnd(runes []rune, at int) int {
	at++
	if at < len(runes) && runes[at] == '!' {
		at++
	}
	for at++; at < len(runes); at++ {
		if runes[at] == ']' {
			return at
		}
	}
	return -1
}

func newBracket(members []rune) (made piece) {
	if members[0] == '!' {
		made.isNot = true
		members = members[1:]
	}
	for at := 0; at < len(members); at++ {
		low, high := members[at], members[at]
		if at+2 < len(members) && members[at+1] == '-' {
			high = members[at+2]
			at += 2
		}
		made.ranges = append(made.ranges, [2]rune{low, high})
	}
	return made
}

func (p *piece) takes(r rune) bool {
	if p.isAny {
		return true
	}
	for _, alike := range pytext.Alike(r) {
		for _, some := range p.ranges {
			if some[0] <= alike && alike <= some[1] {
				return !p.isNot
			}
		}
	}
	return p.isNot
}

// matches goes back to the last star only, so that no glob and no key take long.
func (g glob) matches(key string) bool {
	runes := []rune(key)
	at, in := 0, 0
	star, again := -1, 0
	for at < len(runes) {
		switch {
		case in < len(g) && g[in].isStar:
			star, again = in, at
			in++
		case in < len(g) && g[in].takes(runes[at]):
			at, in = at+1, in+1
		case star >= 0:
			again++
			at, in = again, star+1
		default:
			return false
		}
	}
	for in < len(g) && g[in].isStar {
		in++
	}
	return in == len(g)
}
