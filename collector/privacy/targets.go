package privacy

import (
	"regexp"
	"strings"

	"github.com/actorscope/actorscope/collector/privacy/internal/pyjson"
	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

const (
	longestText = 65_536
	longestName = 200
	mostTargets = 64
	deepestWalk = 32
)

// target is what an action acts on, in canonical form: lower case, URLs without scheme, `www.` and closing punctuation.
type target struct {
	name, kind string
	// isLink: the argument that holds it is there to be opened.
	isLink bool
}

// Names of arguments that hold somebody or something, and of those that hold a link. `$` of Python also stands before a last line end.
var (
	holders = regexp.MustCompile(`(?:^|[_.-])(?:to|cc|bcc|(?:recipient|receiver|participant|attendee|invitee|member|user|channel|account|` +
		`payee|beneficiar(?:y|ie)|wallet|phone|email|mail|address(?:e)?|group|topic|queue|bucket|repo|repository|branch|remote|path|file|` +
		`folder|directory|table|database|destination|dest|target|webhook|iban)(?:s|es)?)(?:_?(?:name|id|address|number|path))?\n?$`)
	links = regexp.MustCompile(`(?:^|[_.-])(?:url|uri|link|href|endpoint|host|hostname|domain|website|webhook|site|page)s?\n?$`)
)

// canonical is the form in which targets are compared.
func canonical(text string) string {
	text = pytext.Lower(pytext.Strip(text))
	if end := run(text, 1, 20, isScheme); end > 1 && isLetter(text[0]) && strings.HasPrefix(text[end:], "://") {
		text = text[end+len("://"):]
	}
	return strings.TrimRight(strings.TrimPrefix(text, "www."), `/.,;:!?'")`)
}

// targets gives the targets in the arguments of an action (JSON or plain text), at most 64, each once, in order of appearance.
func targets(arguments string) []target {
	text := pytext.Head(arguments, longestText)
	value := pyjson.Value{Kind: pyjson.String, Text: text}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		if parsed, err := pyjson.Parse(text); err == nil {
			value = parsed
		}
	}
	w := walk{seen: map[string]bool{}}
	w.value(&value, holds{}, 0)
	return w.found[:min(len(w.found), mostTargets)]
}

// holds says what the name of an argument tells: that it is there to be opened, or that it names somebody or something.
type holds struct{ link, holder bool }

var tellings = memory[holds]{of: tells}

func tells(name string) holds {
	words := pytext.Lower(snake(name))
	return holds{links.MatchString(words), holders.MatchString(words)}
}

// snake puts `_` between a small letter or a digit and a capital.
func snake(name string) string {
	var made []byte
	for i := range len(name) {
		c := name[i]
		if i > 0 && 'A' <= c && c <= 'Z' && ('a' <= name[i-1] && name[i-1] <= 'z' || '0' <= name[i-1] && name[i-1] <= '9') {
			if made == nil {
				made = append(make([]byte, 0, len(name)+8), name[:i]...)
			}
			made = append(made, '_')
		}
		if made != nil {
			made = append(made, c)
		}
	}
	if made == nil {
		return name
	}
	return string(made)
}

type walk struct {
	found []target
	seen  map[string]bool
}

func (w *walk) add(name, kind string, isLink bool) {
	if !w.seen[name] {
		w.seen[name] = true
		w.found = append(w.found, target{name, kind, isLink})
	}
}

func (w *walk) value(value *pyjson.Value, says holds, depth int) {
	if depth > deepestWalk || len(w.found) >= mostTargets {
		return
	}
	switch value.Kind {
	case pyjson.Object:
		for i := range value.Members {
			w.value(&value.Members[i].Value, tellings.get(value.Members[i].Key), depth+1)
		}
	case pyjson.List:
		for i := range value.Items {
			w.value(&value.Items[i], says, depth+1)
		}
	case pyjson.String:
		w.text(value.Text, says)
	}
}

func (w *walk) text(text string, says holds) {
	for _, found := range mentions(text) {
		w.add(found.name, found.kind, says.link)
	}
	isName := pytext.AtMost(text, longestName) && !pytext.AtMost(text, 1) && !strings.Contains(text, "\n")
	if isName && says.link && strings.Contains(text, ".") {
		w.add(canonical(text), "url", true)
	} else if isName && says.holder {
		w.add(canonical(text), "name", false)
	}
}
