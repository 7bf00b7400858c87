package privacy

import (
	"strings"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

// mention is a party that a text names by its form.
type mention struct{ kind, name string }

// form finds the first party of one kind at or after a place in a text in lower case: where it is named, or -1.
type form struct {
	kind string
	find func(text string, at int) (from, to int)
	// marks: a text without any of these has nothing of the form.
	marks []string
}

var forms = []form{
	{"email", findEmail, []string{"@"}},
	{"url", findURL, []string{"://", "www."}},
	{"iban", findIBAN, nil},
	{"phone", findPhone, []string{"+"}},
	{"wallet", findWallet, []string{"0x", "bc1"}},
}

// mentions gives kind and canonical name of everything in a text that names a party by its form.
func mentions(text string) (found []mention) {
	low := pytext.Lower(pytext.Head(text, longestText))
	for i := range forms {
		f := &forms[i]
		if !f.isMarked(low) {
			continue
		}
		for from, to := f.find(low, 0); from >= 0; from, to = f.find(low, to) {
			name := low[from:to]
			if f.kind == "iban" || f.kind == "phone" {
				name = strings.ReplaceAll(name, " ", "")
			}
			name = canonical(name)
			if !pytext.AtMost(name, 3) && (f.kind != "iban" || isAccount(name)) {
				found = append(found, mention{f.kind, name})
			}
		}
	}
	return found
}

func (f *form) isMarked(text string) bool {
	for _, mark := range f.marks {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return f.marks == nil
}

func isAccount(name string) bool {
	digits := 0
	for _, r := range name {
		if isDecimal(r) {
			digits++
		}
	}
	return digits >= 8
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
func isAlnum(c byte) bool  { return isLetter(c) || '0' <= c && c <= '9' }
func isLabel(c byte) bool  { return isAlnum(c) || c == '-' }
func isScheme(c byte) bool { return isLabel(c) || c == '+' || c == '.' }
func isLocal(c byte) bool  { return isScheme(c) || c == '_' || c == '%' }
func isHex(c byte) bool    { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// run is where characters of one kind end, at most `most` of them.
func run(text string, at, most int, is func(byte) bool) int {
	end := min(len(text), at+most)
	for at < end && is(text[at]) {
		at++
	}
	return at
}

// isBoundary says whether a word begins or ends here.
func isEdge(text string, at int) bool {
	return pytext.WordBefore(text, at) != pytext.WordAfter(text, at)
}

// findEmail: [a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}
func findEmail(text string, at int) (int, int) {
	for place := at; ; {
		i := strings.IndexByte(text[place:], '@')
		if i < 0 {
			return -1, -1
		}
		sign := place + i
		from := sign
		for from > at && sign-from < 64 && isLocal(text[from-1]) {
			from--
		}
		place = sign + 1
		end := run(text, place, 64, isLabel)
		if from == sign || end == place || end-place > 63 {
			continue
		}
		labels := 0
		for labels < 8 && end < len(text) && text[end] == '.' {
			next := run(text, end+1, 63, isLabel)
			if next == end+1 {
				break
			}
			end = next
			labels++
		}
		if labels > 0 {
			return from, end
		}
	}
}

// findURL: (?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)[^\s"'<>()\[\]{}\\|,;`]{3,2000}
func findURL(text string, at int) (int, int) {
	for ; at < len(text); at++ {
		if !isLetter(text[at]) || pytext.WordBefore(text, at) {
			continue
		}
		if end := run(text, at+1, 20, isScheme); end > at+1 && strings.HasPrefix(text[end:], "://") {
			if rest := address(text, end+len("://")); rest > 0 {
				return at, rest
			}
		}
		if strings.HasPrefix(text[at:], "www.") {
			if rest := address(text, at+len("www.")); rest > 0 {
				return at, rest
			}
		}
	}
	return -1, -1
}

// address is where the rest of a URL ends; 0 where it is too short.
func address(text string, at int) int {
	n := 0
	for n < 2000 && at < len(text) {
		r, size := pytext.Decode(text[at:])
		if pytext.IsSpace(r) || strings.ContainsRune("\"'<>()[]{}\\|,;`", r) {
			break
		}
		at += size
		n++
	}
	if n < 3 {
		return 0
	}
	return at
}

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
	if r, size := pytext.Decode(text[at:]); isDecimal(r) {
		return at + size
	}
	return -1
}

func isDecimal(r rune) bool { return pytext.IsDigit(r) }

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
