package normalise

import (
	"slices"
	"strings"
	"unicode"
)

// Between key and value, and between pairs, where many attributes are handed over as one text.
const is, and = "\x1e", "\x1f"

type pair struct {
	patterns   uint64
	key, value string
}

// joined is the attributes that a pattern gathers as one text, in the order of their keys; the last of a key counts.
func joined(pairs []pair, pattern int) string {
	var chosen []pair
	for _, p := range pairs {
		if p.patterns>>pattern&1 == 1 {
			chosen = append(chosen, p)
		}
	}
	slices.SortStableFunc(chosen, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	var made strings.Builder
	for i, p := range chosen {
		if i+1 < len(chosen) && chosen[i+1].key == p.key {
			continue
		}
		if made.Len() > 0 {
			made.WriteString(and)
		}
		made.WriteString(p.key)
		made.WriteString(is)
		made.WriteString(p.value)
	}
	return made.String()
}

// indexedIn reads attributes with dots and numbers in their keys as nested objects and lists.
func indexedIn(text string) (value, bool) {
	root := &node{}
	for one := range strings.SplitSeq(text, and) {
		key, said, _ := strings.Cut(one, is)
		here := root
		parts := strings.Split(key, ".")
		if len(parts) > deepest {
			return value{}, false
		}
		for _, part := range parts[:len(parts)-1] {
			inner := here.get(part)
			if inner == nil || inner.inner == nil {
				inner = here.put(part, node{inner: map[string]int{}})
			}
			here = inner
		}
		here.put(parts[len(parts)-1], node{said: said})
	}
	return root.value(), true
}

// node is a text, or an object that grows.
type node struct {
	said  string
	inner map[string]int
	keys  []string
	nodes []*node
}

func (n *node) get(key string) *node {
	if at, is := n.inner[key]; is {
		return n.nodes[at]
	}
	return nil
}

func (n *node) put(key string, made node) *node {
	if n.inner == nil {
		n.inner = map[string]int{}
	}
	if at, is := n.inner[key]; is {
		n.nodes[at] = &made
		return &made
	}
	n.inner[key] = len(n.keys)
	n.keys, n.nodes = append(n.keys, key), append(n.nodes, &made)
	return &made
}

// value is a node with objects whose keys are all numbers as lists in the order of these numbers.
func (n *node) value() value {
	if n.inner == nil {
		return value{kind: kindText, text: n.said}
	}
	made := value{kind: kindObject, keys: n.keys}
	order := make([]int, len(n.keys))
	for i := range order {
		order[i] = i
	}
	if len(n.keys) > 0 && !slices.ContainsFunc(n.keys, func(key string) bool { return !isDecimal(key) }) {
		made = value{kind: kindList}
		digits := make([]string, len(n.keys))
		for i, key := range n.keys {
			digits[i] = plainDigits(key)
		}
		slices.SortStableFunc(order, func(a, b int) int {
			if len(digits[a]) != len(digits[b]) {
				return len(digits[a]) - len(digits[b])
			}
			return strings.Compare(digits[a], digits[b])
		})
	}
	for _, at := range order {
		made.items = append(made.items, n.nodes[at].value())
	}
	return made
}

func isDecimal(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(c rune) bool { return !unicode.Is(unicode.Nd, c) })
}

// plainDigits are the digits of any script as those from 0 to 9, without leading zeros.
func plainDigits(key string) string {
	plain := strings.Map(func(c rune) rune {
		if '0' <= c && c <= '9' {
			return c
		}
		for _, r := range unicode.Nd.R16 {
			if rune(r.Lo) <= c && c <= rune(r.Hi) {
				return '0' + (c-rune(r.Lo))%10
			}
		}
		for _, r := range unicode.Nd.R32 {
			if rune(r.Lo) <= c && c <= rune(r.Hi) {
				return '0' + (c-rune(r.Lo))%10
			}
		}
		return c
	}, key)
	return strings.TrimLeft(plain, "0")
}
