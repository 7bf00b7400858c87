package normalise

import (
	"fmt"
	"strconv"
	"strings"
)

// step is a key of an object, or an index of a list.
type step struct {
	key   string
	index int
	isKey bool
}

// path says where a value stands in a JSON text.
type path []step

// newPath reads a path of keys and numbers, such as $.replies[0].meta; others are not done here.
func newPath(text string) (path, error) {
	other := fmt.Errorf("JSON path %s: only keys and numbers are done here", text)
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, other
	}
	made := path{}
	for rest != "" {
		if after, is := strings.CutPrefix(rest, "."); is {
			size := strings.IndexFunc(after, func(c rune) bool {
				return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_')
			})
			if size < 0 {
				size = len(after)
			}
			if size == 0 {
				return nil, other
			}
			made = append(made, step{key: after[:size], isKey: true})
			rest = after[size:]
			continue
		}
		inner, tail, is := strings.Cut(strings.TrimPrefix(rest, "["), "]")
		index, err := strconv.ParseUint(inner, 10, 31)
		if rest[0] != '[' || !is || err != nil {
			return nil, other
		}
		made = append(made, step{index: int(index)})
		rest = tail
	}
	return made, nil
}

// find is what stands at the path, texts plain and others as JSON; nothing where there is none, or null, or no JSON.
func (p path) find(source string) (string, bool) {
	if !mayBeJSON(source) {
		return "", false
	}
	r := reader{source: valid(source), isPath: true}
	found, ok := r.whole(p)
	if !ok || found.kind == kindMissing || found.kind == kindNull {
		return "", false
	}
	if found.kind == kindText {
		return found.text, true
	}
	return string(appendCompact(nil, &found)), true
}
