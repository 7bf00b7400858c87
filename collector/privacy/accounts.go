package privacy

import (
	"strings"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

// findIBAN: \b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?\b
func findIBAN(text string, at int) (int, int) {
	for ; at+3 < len(text); at++ {
		if !isLetter(text[at]) || !isLetter(text[at+1]) || pytext.WordBefore(text, at) {
			continue
		}
		digits := digit(text, digit(text, at+2))
		if digits < 0 {
			continue
		}
		if end := groups(text, digits, 0); end > 0 {
			return at, end
		}
	}
	return -1, -1
}

// digit is where the digit that stands here ends, or -1.
func digit(text string, at int) int {
	if at < 0 || at >= len(text) {
		return -1
	}
	if r, size := pytext.Decode(text[at:]); pytext.IsDigit(r) {
		return at + size
	}
	return -1
}

// groups is where groups of four end, as many as there can be, with a shorter one behind them; 0 where they do not end a word.
func groups(text string, at, count int) int {
	if count < 7 {
		from := afterSpace(text, at)
		if end := run(text, from, 4, isAlnum); end == from+4 {
			if found := groups(text, end, count+1); found > 0 {
				return found
			}
		}
	}
	if count < 2 {
		return 0
	}
	from := afterSpace(text, at)
	for end := run(text, from, 4, isAlnum); end > from; end-- {
		if isEdge(text, end) {
			return end
		}
	}
	if isEdge(text, at) {
		return at
	}
	return 0
}

func afterSpace(text string, at int) int {
	if at < len(text) && text[at] == ' ' {
		return at + 1
	}
	return at
}

// findPhone: (?<![\w.])\+\d[\d ().-]{6,18}\d\b
func findPhone(text string, at int) (int, int) {
	for {
		i := strings.IndexByte(text[at:], '+')
		if i < 0 {
			return -1, -1
		}
		from := at + i
		at = from + 1
		if pytext.WordBefore(text, from) || (from > 0 && text[from-1] == '.') {
			continue
		}
		first := digit(text, at)
		if first < 0 {
			continue
		}
		var ends [19]int
		n := 0
		for ends[0] = first; n < 18; n++ {
			next := digit(text, ends[n])
			if next < 0 && ends[n] < len(text) && strings.IndexByte(" ().-", text[ends[n]]) >= 0 {
				next = ends[n] + 1
			}
			if next < 0 {
				break
			}
			ends[n+1] = next
		}
		for ; n >= 6; n-- {
			if end := digit(text, ends[n]); end > 0 && isEdge(text, end) {
				return from, end
			}
		}
	}
}

// findWallet: \b(?:0x[0-9a-f]{40}|bc1[a-z0-9]{25,60})\b
func findWallet(text string, at int) (int, int) {
	for ; at < len(text); at++ {
		if (text[at] != '0' && text[at] != 'b') || pytext.WordBefore(text, at) {
			continue
		}
		end := 0
		if strings.HasPrefix(text[at:], "0x") {
			if end = run(text, at+2, 41, isHex); end != at+2+40 {
				continue
			}
		} else if strings.HasPrefix(text[at:], "bc1") {
			if end = run(text, at+3, 61, isAlnum); end < at+3+25 || end > at+3+60 {
				continue
			}
		}
		if end > 0 && isEdge(text, end) {
			return at, end
		}
	}
	return -1, -1
}
