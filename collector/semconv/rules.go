// Package semconv holds the words that the Python side defines: attribute keys, columns and the rules of all dialects.
//
// Both files are generated there (`make generate`); nothing here is written twice by hand.
package semconv

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed rules.json
var shipped []byte

// Rules is everything that normalising, fingerprinting and redacting need to know.
type Rules struct {
	Columns            []Column            `json:"columns"`
	Dialects           []Dialect           `json:"dialects"`
	Handoffs           []Handoff           `json:"handoffs"`
	Nobody             []string            `json:"nobody"`
	Pseudo             []string            `json:"pseudo"`
	Verbs              map[string]string   `json:"verbs"`
	VerbPattern        string              `json:"verb_pattern"`
	DestructivePattern string              `json:"destructive_pattern"`
	Content            Content             `json:"content"`
	RedactPresets      map[string][]string `json:"redact_presets"`
}

// Column is one fact about a record: Type is name, text, int, double, bool or names; Attribute its canonical key.
type Column struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Attribute string `json:"attribute"`
}

// Dialect is one vocabulary: how it is recognised, and its rules in order of preference.
type Dialect struct {
	Name       string   `json:"name"`
	Attributes []string `json:"attributes"`
	Prefixes   []string `json:"prefixes"`
	Scopes     []string `json:"scopes"`
	Rules      []Rule   `json:"rules"`
}

// Rule is one way to fill one column; semconv/dialects/README.md explains every field.
type Rule struct {
	Column      string            `json:"column"`
	Source      string            `json:"source"`
	Constant    *string           `json:"constant"`
	Where       []Condition       `json:"where"`
	Present     []string          `json:"present"`
	Absent      []string          `json:"absent"`
	Same        []string          `json:"same"`
	Values      map[string]string `json:"values"`
	Otherwise   string            `json:"otherwise"`
	Ignore      []string          `json:"ignore"`
	Lower       bool              `json:"lower"`
	StripPrefix string            `json:"strip_prefix"`
	StripSuffix string            `json:"strip_suffix"`
	Extract     string            `json:"extract"`
	JSON        string            `json:"json"`
	Content     string            `json:"content"`
	Basis       string            `json:"basis"`
	First       bool              `json:"first"`
	Event       string            `json:"event"`
	Keys        string            `json:"keys"`
	Resource    bool              `json:"resource"`
	Plus        []string          `json:"plus"`
	Nothing     bool              `json:"nothing"`
}

// Condition says that a key has one of some values.
type Condition struct {
	Key    string
	Values []string
}

// UnmarshalJSON reads a pair of key and values.
func (c *Condition) UnmarshalJSON(text []byte) error {
	pair := [2]any{&c.Key, &c.Values}
	return json.Unmarshal(text, &pair)
}

// Handoff is a tool by which one agent gives work to another.
type Handoff struct {
	Tool     string   `json:"tool"`
	Argument []string `json:"argument"`
	Mode     string   `json:"mode"`
}

// Content says which attributes carry what somebody said; semconv/content.yaml explains every field.
type Content struct {
	Keys      []string `json:"keys"`
	LogEvents []string `json:"log_events"`
	Shape     []string `json:"shape"`
	Arguments []string `json:"arguments"`
	Counted   []string `json:"counted"`
}

// Load reads the shipped rules.
func Load() (*Rules, error) { return Parse(shipped) }

// Parse reads rules from JSON as the Python side writes it.
func Parse(text []byte) (*Rules, error) {
	rules := &Rules{}
	if err := json.Unmarshal(text, rules); err != nil {
		return nil, fmt.Errorf("reading the rules of dialects: %w", err)
	}
	return rules, nil
}
