package normalise

import (
	"strings"
	"unicode/utf8"
)

func isHigh(letter rune) bool { return 0xd800 <= letter && letter < 0xdc00 }
func isLow(letter rune) bool  { return 0xdc00 <= letter && letter < 0xe000 }
func isHalf(letter rune) bool { return 0xd800 <= letter && letter < 0xe000 }

// appendLetter writes a letter in UTF-8, and half of a surrogate pair in the same manner, which UTF-8 does not have.
func appendLetter(out []byte, letter rune) []byte {
	if isHalf(letter) {
		return append(out, 0xe0|byte(letter>>12), 0x80|byte(letter>>6)&0xbf, 0x80|byte(letter)&0xbf)
	}
	return utf8.AppendRune(out, letter)
}

// letterAt reads the first letter of a text that is not empty; halves of surrogate pairs are letters.
func letterAt(text string) (rune, int) {
	letter, size := utf8.DecodeRuneInString(text)
	if letter == utf8.RuneError && size == 1 && hasHalf(text) {
		return rune(text[0]&0x0f)<<12 | rune(text[1]&0x3f)<<6 | rune(text[2]&0x3f), 3
	}
	return letter, size
}

// hasHalf says whether a text begins with half of a surrogate pair.
func hasHalf(text string) bool {
	return len(text) >= 3 && text[0] == 0xed && text[1]&0xe0 == 0xa0 && text[2]&0xc0 == 0x80
}

// whole is a text as it can be kept: a question mark for each half of a surrogate pair.
func whole(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var made strings.Builder
	for text != "" {
		letter, size := letterAt(text)
		switch {
		case isHalf(letter):
			made.WriteByte('?')
		default:
			made.WriteRune(letter)
		}
		text = text[size:]
	}
	return made.String()
}

// valid is a text in UTF-8, halves of surrogate pairs apart; only what no sender may send is changed.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	made := make([]byte, 0, len(text)+8)
	for text != "" {
		letter, size := letterAt(text)
		made = appendLetter(made, letter)
		text = text[size:]
	}
	return string(made)
}

// head is the first letters of a text.
func head(text string, most int) string {
	if len(text) <= most {
		return text
	}
	at := 0
	for ; most > 0 && at < len(text); most-- {
		_, size := letterAt(text[at:])
		at += size
	}
	return text[:at]
}
