package privacy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"maps"
)

// Redacted stands for whatever must not be kept.
const Redacted = "[redacted]"

// redactor knows what must not be kept: attributes by their key, and whatever a pattern matches in any text.
type redactor struct {
	globs    []glob
	patterns []*pattern
}

func newRedactor(config Config, presets map[string][]string) (*redactor, error) {
	made := &redactor{}
	var problems []error
	for _, key := range config.RedactKeys {
		made.globs = append(made.globs, newGlob(key))
	}
	add := func(where, text string) {
		p, err := compile(text, &rust)
		if err == nil && p.matches("") {
			err = errors.New("it matches the empty text")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %q: %w", where, text, err))
			return
		}
		made.patterns = append(made.patterns, p)
	}
	for _, text := range config.RedactPatterns {
		add("redact pattern", text)
	}
	for _, name := range config.RedactPresets {
		if _, is := presets[name]; !is {
			known := slices.Sorted(maps.Keys(presets))
			problems = append(problems, fmt.Errorf("redact preset %q is not known; there are: %s", name, strings.Join(known, ", ")))
		}
		for _, text := range presets[name] {
			add("redact preset "+name, text)
		}
	}
	return made, errors.Join(problems...)
}

func (r *redactor) isIdle() bool { return len(r.globs)+len(r.patterns) == 0 }

// hides says whether the value of this attribute is replaced as a whole.
func (r *redactor) hides(key string) bool {
	return slices.ContainsFunc(r.globs, func(g glob) bool { return g.matches(key) })
}

// clean gives the same text with every match replaced.
func (r *redactor) clean(text string) string {
	if text == "" {
		return text
	}
	for _, p := range r.patterns {
		text = p.replace(text, Redacted)
	}
	return text
}
