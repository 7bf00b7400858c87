package normalise

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/actorscope/actorscope/collector/semconv"
)

// after is what follows from other columns: hand-offs by the tool, the digest of arguments, the effect that a tool's name
// suggests.
type after struct {
	handoffs    []handoff
	nobody      []string
	verbs       map[string]string
	verb        *pattern
	destructive *pattern
	// The numbers of columns.
	operation, toolName, arguments, delegateName, delegationMode, inputDigest, sideEffect int
}

type handoff struct {
	whole     *pattern
	group     *pattern // where the name of the tool names the agent
	arguments []path   // else those that do
	mode      string
}

// tool is what the name of a tool says by itself.
type tool struct {
	isHandoff bool
	mode      string
	effect    string
}

var camel = regexp.MustCompile("([a-z])([A-Z])")

func newAfter(rules *semconv.Rules, places map[string]int) (after, error) {
	made := after{nobody: rules.Nobody, verbs: rules.Verbs}
	var problems []error
	for name, at := range map[string]*int{
		"operation": &made.operation, "tool_name": &made.toolName, "arguments": &made.arguments,
		"delegate_name": &made.delegateName, "delegation_mode": &made.delegationMode, "input_digest": &made.inputDigest,
		"side_effect": &made.sideEffect,
	} {
		var is bool
		if *at, is = places[name]; !is {
			problems = append(problems, fmt.Errorf("there is no column %s", name))
		}
	}
	pattern := func(text string) *pattern {
		found, err := compile(text, wordClass)
		problems = append(problems, err)
		return found
	}
	made.verb, made.destructive = pattern(rules.VerbPattern), pattern(rules.DestructivePattern)
	for _, given := range rules.Handoffs {
		one := handoff{whole: pattern("^(?:" + given.Tool + ")$"), mode: given.Mode}
		if len(given.Argument) == 0 {
			one.group = pattern("^" + given.Tool + "$")
		}
		for _, key := range given.Argument {
			found, err := newPath("$." + key)
			one.arguments, problems = append(one.arguments, found), append(problems, err)
		}
		made.handoffs = append(made.handoffs, one)
	}
	return made, errors.Join(problems...)
}

func (f *Facts) fillAfter() {
	a := &f.n.after
	arguments := &f.columns[a.arguments]
	if name := &f.columns[a.toolName]; name.isThere && f.columns[a.operation].text == "execute_tool" {
		known := f.tool(name.text)
		if known.isHandoff && !f.columns[a.delegateName].isThere {
			if agent, is := a.target(name.text, arguments); is {
				f.set(a.delegateName, fact{text: agent})
			}
		}
		if known.mode != "" && !f.columns[a.delegationMode].isThere {
			f.set(a.delegationMode, fact{text: known.mode})
		}
		if !f.columns[a.sideEffect].isThere {
			effect := known.effect
			if known.mode != "" {
				effect = "none" // giving work to another agent changes nothing by itself
			}
			f.set(a.sideEffect, fact{text: effect, basis: "inferred"})
		}
	}
	if arguments.isThere && !f.columns[a.inputDigest].isThere {
		var made string
		made, f.scratch = digest(arguments.text, f.scratch)
		f.set(a.inputDigest, fact{text: made})
	}
}

// tool is what a name says; names are few and asked often.
func (f *Facts) tool(name string) tool {
	if found, is := f.tools[name]; is {
		return found
	}
	a := &f.n.after
	isHandoff := slices.ContainsFunc(a.handoffs, func(one handoff) bool {
		return one.whole.MatchString(name) || one.group != nil && one.group.MatchString(name)
	})
	found := tool{isHandoff: isHandoff, mode: a.mode(name), effect: a.effect(name)}
	if len(f.tools) >= mostTools {
		clear(f.tools)
	}
	f.tools[strings.Clone(name)] = found
	return found
}

func (a *after) isNobody(agent string) bool { return slices.Contains(a.nobody, lower(agent)) }

// target is the agent that gets the work; none where the tool does not say, or says a person.
func (a *after) target(name string, arguments *fact) (string, bool) {
	for i := range a.handoffs {
		one := &a.handoffs[i]
		agent, is := "", false
		if one.group != nil {
			agent, is = one.group.group(name)
		} else if arguments.isThere && one.whole.MatchString(name) {
			for j := 0; j < len(one.arguments) && !is; j++ {
				agent, is = one.arguments[j].find(arguments.text)
			}
		}
		if is {
			return agent, !a.isNobody(agent)
		}
	}
	return "", false
}

// mode is whether the delegator waits or passes control; empty where the tool is no hand-off, or hands over to a person.
func (a *after) mode(name string) string {
	for i := range a.handoffs {
		one := &a.handoffs[i]
		if !one.whole.MatchString(name) {
			continue
		}
		if one.group == nil {
			return one.mode
		}
		if agent, is := one.group.group(name); is && !a.isNobody(agent) {
			return one.mode
		}
	}
	return ""
}

// effect is what the first telling word of a tool's name suggests.
func (a *after) effect(name string) string {
	words := lower(camel.ReplaceAllString(name, "${1}_${2}"))
	verb, _ := a.verb.group(words)
	guess := orElse(a.verbs[verb], "unknown")
	if guess == "write" && a.destructive.MatchString(words) {
		return "destructive" // "order_cancel": a noun that is also a verb stands before the deed
	}
	return guess
}
