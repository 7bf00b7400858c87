package pyjson

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
)

const hexDigits = "0123456789abcdef"

// Form says how JSON is written: whether all that is no ASCII is escaped, and whether spaces are left out.
type Form struct{ ASCII, Compact bool }

// Append writes a value as json.dumps does.
func Append(to []byte, v *Value, form Form) []byte {
	switch v.Kind {
	case Bool:
		return strconv.AppendBool(to, v.Bool)
	case Int:
		return append(to, v.Text...)
	case Float:
		return AppendFloat(to, v.Number)
	case String:
		return AppendString(to, v.Text, form.ASCII)
	case List:
		to = append(to, '[')
		for i := range v.Items {
			if i > 0 {
				to = append(to, form.comma()...)
			}
			to = Append(to, &v.Items[i], form)
		}
		return append(to, ']')
	case Object:
		to = append(to, '{')
		for i := range v.Members {
			if i > 0 {
				to = append(to, form.comma()...)
			}
			to = append(AppendString(to, v.Members[i].Key, form.ASCII), form.colon()...)
			to = Append(to, &v.Members[i].Value, form)
		}
		return append(to, '}')
	}
	return append(to, "null"...)
}

func (f Form) comma() string {
	if f.Compact {
		return ","
	}
	return ", "
}

func (f Form) colon() string {
	if f.Compact {
		return ":"
	}
	return ": "
}

// AppendString writes a string with quotation marks.
func AppendString(to []byte, text string, ascii bool) []byte {
	to = append(to, '"')
	from := 0
	for at := 0; at < len(text); {
		c := text[at]
		if c >= ' ' && c != '"' && c != '\\' && (!ascii || c < 0x7F) {
			at++
			continue
		}
		to = append(to, text[from:at]...)
		size := 1
		switch {
		case c < utf8.RuneSelf:
			to = appendEscape(to, c)
		default:
			var r rune
			r, size = pytext.Decode(text[at:])
			if high, low := utf16.EncodeRune(r); r > 0xFFFF {
				to = appendHex(appendHex(to, high), low)
			} else {
				to = appendHex(to, r)
			}
		}
		at += size
		from = at
	}
	return append(append(to, text[from:]...), '"')
}

func appendEscape(to []byte, c byte) []byte {
	if i := strings.IndexByte("\"\\\n\r\t\f\b", c); i >= 0 {
		return append(to, '\\', `"\nrtfb`[i])
	}
	return appendHex(to, rune(c))
}

func appendHex(to []byte, r rune) []byte {
	return append(to, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// AppendFloat writes a float as json.dumps does, which is `repr` but for what is no number.
func AppendFloat(to []byte, number float64) []byte {
	switch {
	case math.IsNaN(number):
		return append(to, "NaN"...)
	case math.IsInf(number, 0):
		if number < 0 {
			to = append(to, '-')
		}
		return append(to, "Infinity"...)
	}
	return append(to, Repr(number)...)
}

// Repr is a float as `repr` writes it.
func Repr(number float64) string {
	switch {
	case math.IsNaN(number):
		return "nan"
	case math.IsInf(number, 1):
		return "inf"
	case math.IsInf(number, -1):
		return "-inf"
	}
	size := math.Abs(number)
	if size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.FormatFloat(number, 'e', -1, 64)
	}
	text := strconv.FormatFloat(number, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// Canonical is a number as RFC 8785 writes it; as `repr` does where the RFC has no form for it.
func Canonical(v *Value) string {
	if v.Kind == Int {
		return v.Text
	}
	number := v.Number
	size := math.Abs(number)
	switch {
	case math.IsNaN(number) || math.IsInf(number, 0):
		return Repr(number)
	case size == 0:
		return "0"
	case size >= 1e-6 && size < 1e21:
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	text := strconv.FormatFloat(number, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	return mantissa + "e" + exponent[:1] + strings.TrimPrefix(exponent[1:], "0")
}
