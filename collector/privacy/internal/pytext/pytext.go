// Package pytext answers questions about text as Python does: Unicode words, digits and spaces, full lower case, lengths in code points.
//
// Texts are UTF-8 that may also hold halves of surrogate pairs, three bytes each, as Python's `surrogatepass` writes them:
// JSON can spell them, and a fingerprint is taken of those bytes.
package pytext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Decode gives the first code point of a text and its size; bytes that are none are RuneError of size 1.
func Decode(text string) (rune, int) {
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && size == 1 && isHalf(text) {
		return rune(text[0]&0x0F)<<12 | rune(text[1]&0x3F)<<6 | rune(text[2]&0x3F), 3
	}
	return r, size
}

// DecodeLast is Decode for the end of a text.
func DecodeLast(text string) (rune, int) {
	r, size := utf8.DecodeLastRuneInString(text)
	if r == utf8.RuneError && size == 1 && len(text) >= 3 && isHalf(text[len(text)-3:]) {
		return Decode(text[len(text)-3:])
	}
	return r, size
}

func isHalf(text string) bool {
	return len(text) >= 3 && text[0] == 0xED && text[1]&0xE0 == 0xA0 && text[2]&0xC0 == 0x80
}

// AppendHalf writes half of a surrogate pair.
func AppendHalf(to []byte, r rune) []byte {
	return append(to, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF)
}

// Whole is a text that can be sent: halves of surrogate pairs, and bytes that are no UTF-8, are question marks.
func Whole(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var made strings.Builder
	for len(text) > 0 {
		r, size := Decode(text)
		if (r == utf8.RuneError && size == 1) || unicode.Is(unicode.Cs, r) {
			made.WriteByte('?')
		} else {
			made.WriteString(text[:size])
		}
		text = text[size:]
	}
	return made.String()
}

// AtMost says whether a text has no more than n code points.
func AtMost(text string, n int) bool { return len(text) <= n || len(Head(text, n)) == len(text) }

// Head is the first n code points of a text.
func Head(text string, n int) string {
	if len(text) <= n {
		return text
	}
	at := 0
	for ; n > 0 && at < len(text); n-- {
		if text[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := Decode(text[at:])
		at += size
	}
	return text[:at]
}

// Tail is the last n code points of a text.
func Tail(text string, n int) string {
	at := len(text)
	for ; n > 0 && at > 0; n-- {
		_, size := DecodeLast(text[:at])
		at -= size
	}
	return text[at:]
}

// IsWord is `\w`.
func IsWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.In(r, unicode.L, unicode.N)
}

// IsDigit is `\d`.
func IsDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9'
	}
	return unicode.Is(unicode.Nd, r)
}

// IsSpace is `\s` and what `str.strip` takes away.
func IsSpace(r rune) bool { return 0x1C <= r && r <= 0x1F || unicode.IsSpace(r) }

// WordBefore says whether a word character ends at this place; WordAfter whether one begins there.
func WordBefore(text string, at int) bool {
	if at == 0 {
		return false
	}
	if c := text[at-1]; c < utf8.RuneSelf {
		return IsWord(rune(c))
	}
	r, _ := DecodeLast(text[:at])
	return IsWord(r)
}

// WordAfter says whether a word character begins at this place.
func WordAfter(text string, at int) bool {
	if at == len(text) {
		return false
	}
	if c := text[at]; c < utf8.RuneSelf {
		return IsWord(rune(c))
	}
	r, _ := Decode(text[at:])
	return IsWord(r)
}

// Strip is `str.strip`.
func Strip(text string) string { return strings.TrimFunc(text, IsSpace) }
