package normalise

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// textOf is the text under which a value is kept: the one that rules read.
func textOf(value pcommon.Value) string {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return value.Str()
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(value.Int(), 10)
	case pcommon.ValueTypeDouble:
		return string(appendRepr(nil, value.Double()))
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(value.Bool())
	case pcommon.ValueTypeBytes:
		return base64.StdEncoding.EncodeToString(value.Bytes().AsRaw())
	case pcommon.ValueTypeSlice, pcommon.ValueTypeMap:
		return string(appendValue(nil, value))
	}
	return ""
}

// appendValue writes a value as compact JSON, letters beyond ASCII as they are.
func appendValue(out []byte, value pcommon.Value) []byte {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return appendQuoted(out, value.Str())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(out, value.Int(), 10)
	case pcommon.ValueTypeDouble:
		return appendJSONDouble(out, value.Double())
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(out, value.Bool())
	case pcommon.ValueTypeBytes:
		out = append(out, '"')
		out = base64.StdEncoding.AppendEncode(out, value.Bytes().AsRaw())
		return append(out, '"')
	case pcommon.ValueTypeSlice:
		out = append(out, '[')
		for i, items := 0, value.Slice(); i < items.Len(); i++ {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendValue(out, items.At(i))
		}
		return append(out, ']')
	case pcommon.ValueTypeMap:
		return appendMap(out, value.Map())
	}
	return append(out, "null"...)
}

// appendMap writes an object; a key that is given twice stands where it came first and has its last value.
func appendMap(out []byte, pairs pcommon.Map) []byte {
	place := make(map[string]int, pairs.Len())
	keys := make([]string, 0, pairs.Len())
	values := make([]pcommon.Value, 0, pairs.Len())
	for key, value := range pairs.All() {
		if at, is := place[key]; is {
			values[at] = value
			continue
		}
		place[key] = len(keys)
		keys, values = append(keys, key), append(values, value)
	}
	out = append(out, '{')
	for i, key := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendQuoted(out, key), ':')
		out = appendValue(out, values[i])
	}
	return append(out, '}')
}

// lower makes lower case as Polars does: unlike Go it knows the sigma at the end of a word and the dotted I.
// Letters that are younger than Go's tables (Unicode 15) stay as they are.
func lower(text string) string {
	if isASCII(text) || !strings.ContainsAny(text, "Σİ") {
		return strings.ToLower(text)
	}
	var made strings.Builder
	for at, letter := range text {
		switch {
		case letter == 'İ':
			made.WriteString("i\u0307")
		case letter == 'Σ' && isFinal(text, at):
			made.WriteRune('ς')
		default:
			made.WriteRune(unicode.ToLower(letter))
		}
	}
	return made.String()
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isFinal says whether a letter stands at the end of a word: after a letter with case and before none, marks apart.
func isFinal(text string, at int) bool {
	before := strings.TrimRightFunc(text[:at], isCaseIgnorable)
	last, _ := utf8.DecodeLastRuneInString(before)
	after := strings.TrimLeftFunc(text[at+len("Σ"):], isCaseIgnorable)
	next, _ := utf8.DecodeRuneInString(after)
	return before != "" && isCased(last) && !(after != "" && isCased(next))
}

func isCased(letter rune) bool {
	return unicode.IsUpper(letter) || unicode.IsLower(letter) || unicode.IsTitle(letter) ||
		unicode.In(letter, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func isCaseIgnorable(letter rune) bool {
	return strings.ContainsRune("'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", letter) ||
		unicode.In(letter, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

// isSpace is white space as Python's str.strip and str.split see it.
func isSpace(letter rune) bool {
	return unicode.IsSpace(letter) || 0x1c <= letter && letter <= 0x1f
}

func strip(text string) string { return strings.TrimFunc(text, isSpace) }
