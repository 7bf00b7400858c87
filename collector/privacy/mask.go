package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
	"sync"

	"github.com/actorscope/actorscope/collector/privacy/internal/pyjson"
	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

// Prefix stands before every fingerprint.
const Prefix = "hmac-sha256:"

const (
	printBytes  = 16
	longestWord = 128
	deepestMask = 64
)

// mask gives content its shape and fingerprints for its texts, under one secret key. It may be used by many at once.
type mask struct {
	content *content
	hashes  sync.Pool
}

// hasher is a keyed hash with room for texts on their way and for the sum.
type hasher struct {
	hash.Hash
	part [1024]byte
	sum  [sha256.Size]byte
}

func newMask(key []byte, content *content) *mask {
	m := &mask{content: content}
	m.hashes.New = func() any { return &hasher{Hash: hmac.New(sha256.New, key)} }
	return m
}

// fingerprint is Prefix and 128 bits in hex; a fingerprint stays as it is.
func (m *mask) fingerprint(text string) string {
	if strings.HasPrefix(text, Prefix) {
		return text
	}
	h := m.hashes.Get().(*hasher)
	defer m.hashes.Put(h)
	h.Reset()
	for len(text) > 0 {
		n := copy(h.part[:], text)
		h.Write(h.part[:n])
		text = text[n:]
	}
	var made [len(Prefix) + 2*printBytes]byte
	copy(made[:], Prefix)
	hex.Encode(made[len(Prefix):], h.Sum(h.sum[:0])[:printBytes])
	return string(made[:])
}

// isKept says whether a text says so little that it stays.
func isKept(text string) bool {
	switch text {
	case "", "{}", "[]", "null", "None", "N/A", "<REDACTED>", "true", "false", "True", "False":
		return true
	}
	return false
}

// text is the value of a content attribute: masked JSON where it is JSON, else its fingerprint.
func (m *mask) text(info *known, text string) string {
	if info.isShape && pytext.AtMost(text, longestWord) {
		return text
	}
	return pytext.Whole(m.inner(text, info.isStrict, 0))
}

// number is the value of a content attribute that is a number: kept where it counts something.
func (m *mask) number(info *known, text string) string {
	if info.isCounted {
		return text
	}
	return m.fingerprint(text)
}

func (m *mask) inner(text string, isStrict bool, depth int) string {
	if isKept(text) {
		return text
	}
	if (text[0] == '{' || text[0] == '[') && depth < deepestMask {
		if value, err := pyjson.Parse(text); err == nil {
			return string(m.value(make([]byte, 0, len(text)+64), "", &value, isStrict, depth+1))
		}
	}
	return m.fingerprint(text)
}

// value writes the masked form of a value below `key`; keys stay, since what a tool takes is its interface.
func (m *mask) value(to []byte, key string, value *pyjson.Value, isStrict bool, depth int) []byte {
	if depth > deepestMask {
		whole := pyjson.Append(nil, value, pyjson.Form{ASCII: true})
		return pyjson.AppendString(to, m.fingerprint(string(whole)), false)
	}
	switch value.Kind {
	case pyjson.Object:
		to = append(to, '{')
		for i := range value.Members {
			member := &value.Members[i]
			if i > 0 {
				to = append(to, ", "...)
			}
			to = append(pyjson.AppendString(to, member.Key, false), ": "...)
			to = m.value(to, member.Key, &member.Value, isStrict || m.content.words[member.Key]&argumentsWord != 0, depth+1)
		}
		return append(to, '}')
	case pyjson.List:
		to = append(to, '[')
		for i := range value.Items {
			if i > 0 {
				to = append(to, ", "...)
			}
			to = m.value(to, key, &value.Items[i], isStrict, depth+1)
		}
		return append(to, ']')
	case pyjson.String:
		word := m.content.words[key]
		isShape := word&agentWord != 0 || (word&shapeWord != 0 && !isStrict)
		if isShape && pytext.AtMost(value.Text, longestWord) {
			return pyjson.AppendString(to, value.Text, false)
		}
		return pyjson.AppendString(to, m.inner(value.Text, isStrict, depth), false)
	case pyjson.Int, pyjson.Float:
		if isStrict || !m.content.isCounted(key) {
			return pyjson.AppendString(to, m.fingerprint(pyjson.Canonical(value)), false)
		}
	}
	return pyjson.Append(to, value, pyjson.Form{})
}
