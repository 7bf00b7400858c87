package normalise

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const hexadecimal = "0123456789abcdef"

// appendQuoted writes a text as JSON, letters beyond ASCII as they are.
func appendQuoted(out []byte, said string) []byte {
	out = append(out, '"')
	plain := 0
	for i := range len(said) {
		c := said[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		out = appendEscape(append(out, said[plain:i]...), c)
		plain = i + 1
	}
	return append(append(out, said[plain:]...), '"')
}

func appendEscape(out []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\n':
		return append(out, `\n`...)
	case '\r':
		return append(out, `\r`...)
	case '\t':
		return append(out, `\t`...)
	case '\f':
		return append(out, `\f`...)
	case '\b':
		return append(out, `\b`...)
	}
	return append(out, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
}

// appendASCII writes a text as json.dumps does: everything beyond ASCII as escapes.
func appendASCII(out []byte, said string) []byte {
	out = append(out, '"')
	for i := 0; i < len(said); {
		if c := said[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == '"' || c == '\\' {
				out = appendEscape(out, c)
			} else if c == 0x7f {
				out = appendUnit(out, 0x7f)
			} else {
				out = append(out, c)
			}
			i++
			continue
		}
		letter, size := letterAt(said[i:])
		i += size
		if letter >= 0x10000 {
			letter -= 0x10000
			out = appendUnit(out, 0xd800+letter>>10)
			letter = 0xdc00 + letter&0x3ff
		}
		out = appendUnit(out, letter)
	}
	return append(out, '"')
}

func appendUnit(out []byte, unit rune) []byte {
	return append(out, '\\', 'u', hexadecimal[unit>>12&15], hexadecimal[unit>>8&15], hexadecimal[unit>>4&15], hexadecimal[unit&15])
}

// appendDump writes a value as json.dumps does; false for what is no JSON.
func appendDump(out []byte, v *value) ([]byte, bool) {
	ok := true
	switch v.kind {
	case kindNull:
		out = append(out, "null"...)
	case kindBool:
		out = strconv.AppendBool(out, v.is)
	case kindInt:
		out = append(out, v.text...)
	case kindDouble:
		out = appendJSONDouble(out, v.number)
	case kindText:
		out = appendASCII(out, v.text)
	case kindList, kindTuple:
		out = append(out, '[')
		for i := range v.items {
			if i > 0 {
				out = append(out, ", "...)
			}
			if out, ok = appendDump(out, &v.items[i]); !ok {
				return out, false
			}
		}
		out = append(out, ']')
	case kindObject:
		out = append(out, '{')
		for i, key := range v.keys {
			if i > 0 {
				out = append(out, ", "...)
			}
			if strings.HasPrefix(key, keyUnwritable) {
				return out, false
			}
			out = appendASCII(out, strings.TrimPrefix(key, keyOther))
			out = append(out, ": "...)
			if out, ok = appendDump(out, &v.items[i]); !ok {
				return out, false
			}
		}
		out = append(out, '}')
	default:
		return out, false
	}
	return out, true
}

// appendCompact writes what a JSON path found.
func appendCompact(out []byte, v *value) []byte {
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(out, v.is)
	case kindInt:
		return append(out, v.text...)
	case kindDouble:
		return appendPath(out, v.number)
	case kindText:
		return appendQuoted(out, v.text)
	case kindList:
		out = append(out, '[')
		for i := range v.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCompact(out, &v.items[i])
		}
		return append(out, ']')
	case kindObject:
		out = append(out, '{')
		for i, key := range v.keys {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCompact(append(appendQuoted(out, key), ':'), &v.items[i])
		}
		return append(out, '}')
	}
	return append(out, "null"...)
}

// appendReprOf writes a value as Python's repr does, which is how it looks among names.
func appendReprOf(out []byte, v *value) []byte {
	switch v.kind {
	case kindNull:
		return append(out, "None"...)
	case kindBool:
		if v.is {
			return append(out, "True"...)
		}
		return append(out, "False"...)
	case kindInt:
		return append(out, v.text...)
	case kindDouble:
		return appendRepr(out, v.number)
	case kindText:
		return appendReprText(out, v.text)
	}
	open, closing := byte('['), byte(']')
	if v.kind == kindObject {
		open, closing = '{', '}'
	}
	out = append(out, open)
	for i := range v.items {
		if i > 0 {
			out = append(out, ", "...)
		}
		if v.kind == kindObject {
			out = append(appendReprText(out, v.keys[i]), ": "...)
		}
		out = appendReprOf(out, &v.items[i])
	}
	return append(out, closing)
}

func appendReprText(out []byte, said string) []byte {
	quote := byte('\'')
	if strings.Contains(said, "'") && !strings.Contains(said, `"`) {
		quote = '"'
	}
	out = append(out, quote)
	for said != "" {
		letter, size := letterAt(said)
		said = said[size:]
		switch {
		case letter == rune(quote) || letter == '\\':
			out = append(out, '\\', byte(letter))
		case letter == '\n':
			out = append(out, `\n`...)
		case letter == '\r':
			out = append(out, `\r`...)
		case letter == '\t':
			out = append(out, `\t`...)
		case unicode.IsPrint(letter):
			out = utf8.AppendRune(out, letter)
		case letter < 0x100:
			out = append(out, '\\', 'x', hexadecimal[letter>>4], hexadecimal[letter&15])
		case letter < 0x10000:
			out = appendUnit(out, letter)
		default:
			out = append(out, `\U00`...)
			for shift := 20; shift >= 0; shift -= 4 {
				out = append(out, hexadecimal[letter>>shift&15])
			}
		}
	}
	return append(out, quote)
}
