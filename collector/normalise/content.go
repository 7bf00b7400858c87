package normalise

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// requestLimit is the number of letters of a request that are kept.
const requestLimit = 4096

var requestKeys = []string{"input", "task", "question", "query", "request", "prompt", "message", "instruction", "content", "text"}

// digest is sha256:<hex> of arguments in the form of RFC 8785; of the plain text where that is not to be had.
func digest(arguments string, scratch []byte) (string, []byte) {
	canon := scratch[:0]
	found, ok, _ := parse(arguments)
	if ok {
		canon, ok = canonical(canon, &found)
	}
	if !ok {
		canon = append(canon[:0], arguments...)
	}
	sum := sha256.Sum256(canon)
	var made [7 + 2*sha256.Size]byte
	hex.Encode(made[copy(made[:], "sha256:"):], sum[:])
	return string(made[:]), canon
}

// request is what was asked for: the last user message of a message list, the task of an input object, or the text itself.
func request(said string) (string, bool) {
	asked := said
	if found, ok, _ := parse(said); ok {
		asked = requestIn(&found)
	}
	asked = whole(head(strip(asked), requestLimit))
	return asked, asked != ""
}

func requestIn(v *value) string {
	switch v.kind {
	case kindText:
		return v.text
	case kindList:
		if len(v.items) > 0 && !slices.ContainsFunc(v.items, func(item value) bool { return item.kind != kindList }) {
			return requestIn(&v.items[0])
		}
		for i := len(v.items) - 1; i >= 0; i-- {
			if item := &v.items[i]; item.kind == kindObject && isUser(item) {
				return said(item)
			}
		}
	case kindObject:
		for _, key := range []string{"messages", "inputs", "kwargs", "args"} {
			if inner := v.get(key); inner.kind == kindList || inner.kind == kindObject {
				if found := requestIn(inner); found != "" {
					return found
				}
			}
		}
		return firstText(v, requestKeys)
	}
	return ""
}

// firstText is the first of some keys that has a text.
func firstText(v *value, keys []string) string {
	for _, key := range keys {
		if inner := v.get(key); inner.kind == kindText {
			return inner.text
		}
	}
	return ""
}

func isUser(message *value) bool {
	role := message.get("role")
	if !role.isTruthy() {
		role = message.get("type")
	}
	name := strings.ToLower(role.text)
	return role.kind == kindText && (name == "user" || name == "human")
}

// said is the text of a message.
func said(message *value) string {
	switch message.kind {
	case kindText:
		return message.text
	case kindList:
		var parts []string
		for i := range message.items {
			if part := said(&message.items[i]); part != "" {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, " ")
	case kindObject:
		for _, key := range []string{"parts", "content", "text", "kwargs"} {
			if inner := message.get(key); inner.isTruthy() {
				return said(inner)
			}
		}
	}
	return ""
}

var (
	printedObject = regexp.MustCompile(`^<[\pL\pN_.]+ object(?: at 0x[0-9a-f]+)?>`)
	wrapping      = []string{"args", "kwargs", "sanitize_inputs_outputs", "tool_name"}
)

// arguments are those of a tool as they were meant: without args, kwargs and other wrapping, as JSON where they are a
// Python literal; the text itself where nothing of this applies.
func arguments(text string) string {
	found, ok := literal(text)
	if inner := found.get("input_str"); ok && found.kind == kindObject && inner.kind == kindText {
		found, ok = literal(inner.text)
	}
	if !ok || found.kind != kindObject && found.kind != kindList {
		return text
	}
	if found.kind == kindObject && isWrapped(&found) {
		found = unwrapped(found)
	}
	if found.kind == kindObject {
		withoutObjects(&found)
	}
	made, ok := appendDump(make([]byte, 0, len(text)+16), &found)
	if !ok {
		return text
	}
	return string(made)
}

func isWrapped(v *value) bool {
	return v.get("kwargs") != &nothing &&
		!slices.ContainsFunc(v.keys, func(key string) bool { return !slices.Contains(wrapping, key) })
}

func unwrapped(v value) value {
	args, kwargs := v.get("args"), v.get("kwargs")
	switch {
	case !args.isTruthy() && kwargs.kind == kindObject:
		return *kwargs
	case !args.isTruthy():
		return value{kind: kindObject}
	case !kwargs.isTruthy() && args.kind == kindList && len(args.items) == 1 && args.items[0].kind == kindObject:
		return args.items[0]
	}
	return v
}

// withoutObjects takes out what is only the print of an object of the program.
func withoutObjects(v *value) {
	kept := 0
	for i, item := range v.items {
		if item.kind == kindText && strings.HasPrefix(item.text, "<") && printedObject.MatchString(item.text) {
			continue
		}
		v.keys[kept], v.items[kept] = v.keys[i], item
		kept++
	}
	v.keys, v.items = v.keys[:kept], v.items[:kept]
}

// names is a list of names from a JSON array, or from text with spaces or commas between them.
func names(text string) []string {
	found, ok, _ := parse(text)
	if !ok {
		return strings.FieldsFunc(text, func(letter rune) bool { return letter == ',' || isSpace(letter) })
	}
	if found.kind != kindList {
		return []string{nameOf(&found)}
	}
	made := make([]string, len(found.items))
	for i := range found.items {
		made[i] = nameOf(&found.items[i])
	}
	return made
}

func nameOf(v *value) string {
	if v.kind == kindText {
		return whole(v.text)
	}
	return string(appendReprOf(nil, v))
}

// truth reads a text that says yes or no.
func truth(text string) (is, ok bool) {
	switch strings.ToLower(strip(text)) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}
