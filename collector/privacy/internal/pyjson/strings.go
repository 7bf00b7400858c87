package pyjson

import (
	"strings"
	"unicode/utf8"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

// string reads a string; its quotation mark is where the reader stands.
func (r *reader) string() (string, error) {
	r.at++
	from := r.at
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			said := r.text[from:r.at]
			r.at++
			return said, nil
		case c == '\\':
			return r.escaped(from)
		case c < ' ':
			return "", errNone
		default:
			r.at++
		}
	}
	return "", errNone
}

func (r *reader) escaped(from int) (string, error) {
	made := append(make([]byte, 0, r.at-from+32), r.text[from:r.at]...)
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(made), nil
		case c < ' ' || (c == '\\' && r.at == len(r.text)):
			return "", errNone
		case c != '\\':
			made = append(made, c)
			continue
		}
		said := r.text[r.at]
		r.at++
		if said != 'u' {
			i := strings.IndexByte(`"\/bfnrt`, said)
			if i < 0 {
				return "", errNone
			}
			made = append(made, "\"\\/\b\f\n\r\t"[i])
			continue
		}
		point, ok := r.hex()
		if !ok {
			return "", errNone
		}
		made = r.appendPoint(made, point)
	}
	return "", errNone
}

// appendPoint writes a code point that was spelled; two halves of a surrogate pair make one, a half alone stays a half.
func (r *reader) appendPoint(made []byte, point rune) []byte {
	if point < 0xD800 || point > 0xDFFF {
		return utf8.AppendRune(made, point)
	}
	if point < 0xDC00 && strings.HasPrefix(r.text[r.at:], `\u`) {
		before := r.at
		r.at += 2
		if low, ok := r.hex(); ok && 0xDC00 <= low && low <= 0xDFFF {
			return utf8.AppendRune(made, 0x10000+(point-0xD800)<<10+(low-0xDC00))
		}
		r.at = before
	}
	return pytext.AppendHalf(made, point)
}

func (r *reader) hex() (rune, bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	var point rune
	for _, c := range []byte(r.text[r.at : r.at+4]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || (c < '0') {
			return 0, false
		}
		point = point<<4 | rune(digit)
	}
	r.at += 4
	return point, true
}
