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
		if pytext.IsDigit(r) {
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

// isEdge says whether a word begins or ends here.
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
