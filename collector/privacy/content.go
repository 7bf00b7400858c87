package privacy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
	"github.com/actorscope/actorscope/collector/semconv"
)

// originalPrefix stands before the key of a value that gave way to the canonical one.
const originalPrefix = "actorscope.edge.original."

// known is what there is to know about an attribute key.
type known struct {
	isContent, isHidden bool
	// isArguments and isSaid: the value is read for targets, or for mentions.
	isArguments, isSaid bool
	// isStrict: everything in it is content, whatever its key; isShape: short texts say only what kind of thing something is.
	isStrict, isShape bool
	// isCounted: numbers are kept.
	isCounted bool
}

// word is what the key inside structured content means.
type word uint8

const (
	shapeWord word = 1 << iota
	argumentsWord
	agentWord
)

// columns of content that dialects read from one attribute.
const (
	requestColumn word = 1 << iota
	argumentsColumn
	resultColumn
	callsColumn
)

var contentColumns = map[string]word{
	"request": requestColumn, "arguments": argumentsColumn, "result": resultColumn, "tool_calls": callsColumn,
}

// content knows which attributes carry what somebody said. It never changes.
type content struct {
	words     map[string]word
	counted   []string
	columns   map[string]word
	mixed     map[string]bool
	keys      *pattern
	logEvents *pattern
}

func newContent(rules *semconv.Rules) (*content, error) {
	c := &content{words: map[string]word{}, counted: rules.Content.Counted, columns: map[string]word{}, mixed: map[string]bool{}}
	for is, names := range map[word][]string{shapeWord: rules.Content.Shape, argumentsWord: rules.Content.Arguments} {
		for _, name := range names {
			c.words[name] |= is
		}
	}
	for _, handoff := range rules.Handoffs {
		for _, name := range handoff.Argument {
			c.words[name] |= agentWord
		}
	}
	keys := rules.Content.Keys
	for _, dialect := range rules.Dialects {
		for i := range dialect.Rules {
			rule := &dialect.Rules[i]
			column := contentColumns[rule.Column]
			if rule.Source != "" {
				c.columns[rule.Source] |= column
				c.mixed[rule.Source] = c.mixed[rule.Source] || rule.JSON != "" && column == 0
			}
			if column != 0 && rule.Keys != "" {
				keys = append(keys[:len(keys):len(keys)], "(?:"+rule.Keys+").*")
			}
		}
	}
	var wrong, also error
	c.keys, wrong = compileWhole(keys)
	c.logEvents, also = compileWhole(rules.Content.LogEvents)
	if err := errors.Join(wrong, also); err != nil {
		return nil, fmt.Errorf("reading what is content: %w", err)
	}
	return c, nil
}

func compileWhole(patterns []string) (*pattern, error) {
	return compile(`\A(?:`+strings.Join(patterns, "|")+`)\z`, &python)
}

// known says what a key means; the key of a value that gave way means what it meant before.
func (c *content) known(key string) *known {
	own, isOriginal := strings.CutPrefix(key, originalPrefix)
	columns := c.columns[own]
	last := c.words[own[strings.LastIndexByte(own, '.')+1:]]
	info := &known{isCounted: c.isCounted(own)}
	info.isContent = (columns != 0 && !strings.HasPrefix(own, "@")) || c.keys.matches(own)
	if !isOriginal {
		info.isArguments = columns&argumentsColumn != 0
		info.isSaid = columns&(requestColumn|resultColumn) != 0
	}
	isArguments := columns&(argumentsColumn|resultColumn) != 0 && !c.mixed[own]
	info.isStrict = last&argumentsWord != 0 || isArguments
	info.isShape = last&shapeWord != 0 && !info.isStrict
	return info
}

// isCounted says whether numbers under this key count something.
func (c *content) isCounted(key string) bool {
	low := pytext.Lower(key)
	for _, word := range c.counted {
		if strings.Contains(low, word) {
			return true
		}
	}
	return false
}

// isBody says whether the body of a log record is content.
func (c *content) isBody(eventName string) bool {
	return eventName == "" || c.logEvents.matches(eventName)
}
