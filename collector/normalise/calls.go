package normalise

import (
	"slices"
	"strings"
)

var (
	callTypes    = []string{"tool_call", "function_call", "tool_use", "tool-call", "function", "functionCall"}
	nameKeys     = []string{"name", "toolName", "tool_name"}
	idKeys       = []string{"id", "call_id", "toolCallId", "toolUseId", "tool_call_id", "ref"}
	argumentKeys = []string{"arguments", "args", "input", "arguments_json", "tool_kwargs"}
	wraps        = []string{"function", "toolUse", "functionCall", "function_call", "tool_call", "toolRequest"}
	callLists    = []string{"tool_calls", "toolCalls", "function_calls"}
)

// mostTexts is the number of calls after which texts are no longer read for more.
const mostTexts = 1000

// calls gathers the tool calls in a model's answer.
type calls struct {
	out    []byte
	count  int
	depth  int
	isFull bool
}

// toolCalls are the tool calls in a model's answer as JSON; nothing where there are none. A call is whatever has a name
// and arguments and is said to be a call, in any vocabulary.
func toolCalls(text string) (string, bool) {
	var found value
	ok := true
	if strings.Contains(text, is) {
		found, ok = indexedIn(text)
	} else {
		found, ok, _ = parse(text)
	}
	if !ok {
		return "", false
	}
	var c calls
	c.find(&found, false)
	if c.isFull || c.count == 0 {
		return "", false
	}
	return string(append(c.out, ']')), true
}

func (c *calls) find(v *value, isCall bool) {
	if c.depth++; c.depth > deepest {
		c.isFull = true
	}
	if !c.isFull {
		c.findIn(v, isCall)
	}
	c.depth--
}

func (c *calls) findIn(v *value, isCall bool) {
	switch v.kind {
	case kindText:
		if c.count >= mostTexts || v.text == "" || v.text[0] != '[' && v.text[0] != '{' {
			return
		}
		inner, ok, isDeep := parse(v.text)
		if c.isFull = c.isFull || isDeep; ok {
			c.findIn(&inner, isCall)
		}
	case kindList:
		for i := range v.items {
			c.find(&v.items[i], isCall)
		}
	case kindObject:
		c.object(v, isCall)
	}
}

func (c *calls) object(v *value, isCall bool) {
	if c.call(v, isCall) {
		return
	}
	for i, key := range v.keys {
		inner := &v.items[i]
		switch {
		case inner.kind == kindObject && slices.Contains(wraps, key):
			merged := withID(v, inner)
			c.find(&merged, true)
		case !slices.Contains(argumentKeys, key):
			c.find(inner, slices.Contains(callLists, key))
		}
	}
}

// call writes an object that is a call; false for one that is none.
func (c *calls) call(v *value, isCall bool) bool {
	name := firstText(v, nameKeys)
	if name == "" {
		return false
	}
	kind := v.get("type")
	if kind == &nothing {
		kind = v.get("block_type")
	}
	if !isCall && !(kind.kind == kindText && slices.Contains(callTypes, kind.text)) {
		return false
	}
	given := &nothing
	for _, key := range argumentKeys {
		if given = v.get(key); given != &nothing {
			break
		}
	}
	var said string
	switch {
	case given.kind == kindText:
		said = whole(given.text)
	case given.kind != kindMissing && given.kind != kindNull:
		made, _ := appendDump(nil, given)
		said = string(made)
	case !isCall:
		return false
	default:
		said = "{}"
	}
	if c.count++; c.count == 1 {
		c.out = append(c.out, '[')
	} else {
		c.out = append(c.out, ", "...)
	}
	c.out = appendASCII(append(c.out, `{"id": `...), whole(firstText(v, idKeys)))
	c.out = appendASCII(append(c.out, `, "name": `...), whole(name))
	c.out = appendASCII(append(c.out, `, "arguments": `...), said)
	c.out = append(c.out, '}')
	return true
}

// withID is what is wrapped, with the identifiers of what it is wrapped in.
func withID(outer, inner *value) value {
	made := value{kind: kindObject}
	for _, key := range idKeys {
		if known := outer.get(key); known != &nothing {
			made.keys, made.items = append(made.keys, key), append(made.items, *known)
		}
	}
	if len(made.keys) == 0 {
		return *inner
	}
	var places map[string]int
	for i, key := range inner.keys {
		places = made.add(key, inner.items[i], places)
	}
	return made
}
