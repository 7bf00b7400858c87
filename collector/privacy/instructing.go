package privacy

import (
	"strings"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

// instructions are kinds of words that address a reader and tell what to do.
var instructions = [...][]string{
	{"you", "your", "yourself"},
	{"please", "must", "should", "need to", "have to", "make sure", "kindly", "required"},
	{"before", "after that", "after you", "first", "instead", "then", "once"},
	{"ignore", "important", "instruction", "instructions", "urgent", "the following", "task", "system", "assistant", "ai", "model", "prompt"},
	{"send", "transfer", "pay", "visit", "go to", "click", "invite", "add", "forward", "email", "mail", "update", "change", "delete",
		"share", "post", "download", "run", "execute", "call"},
}

const (
	nearBefore = 200
	nearAfter  = 150
	mostPlaces = 64
)

// instructing counts how much the words around `name` in a text read like an instruction, from 0 to 5: data seldom does, an
// injected instruction must. `text` is in lower case.
func instructing(text, name string) int {
	best, at := 0, strings.Index(text, name)
	for n := 0; n < mostPlaces && at >= 0 && best < len(instructions); n++ {
		from, to := at-len(pytext.Tail(text[:at], nearBefore)), at+len(pytext.Head(text[at:], nearAfter))
		best = max(best, count(text[from:to]))
		next := strings.Index(text[at+1:], name)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return best
}

// count is how many kinds of words stand in a text.
func count(text string) (kinds int) {
	var seen [len(instructions)]bool
	for at := 0; at < len(text); at++ {
		if !isLetter(text[at]) || pytext.WordBefore(text, at) {
			continue
		}
		for _, begins := range instructionsBy[text[at]-'a'] {
			if !seen[begins.kind] && strings.HasPrefix(text[at:], begins.words) && !pytext.WordAfter(text, at+len(begins.words)) {
				seen[begins.kind] = true
				kinds++
			}
		}
	}
	return kinds
}

type instruction struct {
	words string
	kind  int
}

// instructionsBy holds the instructions by their first letter.
var instructionsBy = func() (by [26][]instruction) {
	for kind, all := range instructions {
		for _, words := range all {
			by[words[0]-'a'] = append(by[words[0]-'a'], instruction{words, kind})
		}
	}
	return by
}()
