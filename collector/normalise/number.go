package normalise

import (
	"math"
	"strconv"
	"strings"
)

// exactly is the number up to which every whole number is a double of its own; counts above it are no counts.
const exactly = 1 << 53

// number reads a text as Polars casts it: no spaces, no underscores, no hexadecimal; what is too large is infinite.
func number(text string) (float64, bool) {
	if text == "" {
		return 0, false
	}
	body := text
	if body[0] == '+' || body[0] == '-' {
		body = body[1:]
	}
	if body == "" {
		return 0, false
	}
	switch c := body[0]; {
	case c == 'i' || c == 'I':
		if !strings.EqualFold(body, "inf") && !strings.EqualFold(body, "infinity") {
			return 0, false
		}
		if text[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case c == 'n' || c == 'N':
		return math.NaN(), strings.EqualFold(body, "nan")
	}
	for i := range len(body) {
		switch c := body[i]; {
		case '0' <= c && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return 0, false
		}
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(value, 0) {
		return 0, false
	}
	return value, true
}

// exponent is the decimal exponent of a finite number.
func exponent(value float64) int {
	var buffer [32]byte
	made := strconv.AppendFloat(buffer[:0], value, 'e', -1, 64)
	for i := len(made) - 1; i >= 0; i-- {
		if made[i] == 'e' {
			found, _ := strconv.Atoi(string(made[i+1:]))
			return found
		}
	}
	return 0
}

// appendPython writes a double as Python's repr does; words are what it says for endless ones and for none.
func appendPython(out []byte, value float64, nan, above, below string) []byte {
	switch {
	case math.IsNaN(value):
		return append(out, nan...)
	case math.IsInf(value, 1):
		return append(out, above...)
	case math.IsInf(value, -1):
		return append(out, below...)
	}
	if exp := exponent(value); exp < -4 || exp >= 16 {
		return strconv.AppendFloat(out, value, 'e', -1, 64)
	}
	return appendFixed(out, value)
}

// appendFixed writes a number without exponent, but with a point.
func appendFixed(out []byte, value float64) []byte {
	start := len(out)
	out = strconv.AppendFloat(out, value, 'f', -1, 64)
	for _, c := range out[start:] {
		if c == '.' {
			return out
		}
	}
	return append(out, ".0"...)
}

func appendRepr(out []byte, value float64) []byte {
	return appendPython(out, value, "nan", "inf", "-inf")
}

func appendJSONDouble(out []byte, value float64) []byte {
	return appendPython(out, value, "NaN", "Infinity", "-Infinity")
}

// appendPath writes a finite double as Polars does inside what a JSON path found.
func appendPath(out []byte, value float64) []byte {
	if exp := exponent(value); exp >= -5 && exp < 16 {
		return appendFixed(out, value)
	}
	return appendShortExponent(out, value)
}

// appendShortExponent writes the exponent without leading zeros: 1e-7, 1e+21.
func appendShortExponent(out []byte, value float64) []byte {
	start := len(out)
	out = strconv.AppendFloat(out, value, 'e', -1, 64)
	if size := len(out); size-start > 4 && out[size-2] == '0' && (out[size-3] == '+' || out[size-3] == '-') {
		out[size-2] = out[size-1]
		out = out[:size-1]
	}
	return out
}

// appendCanonical writes a double as ECMAScript does, which RFC 8785 asks for; false for endless ones and for none.
func appendCanonical(out []byte, value float64) ([]byte, bool) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return out, false
	}
	if value == 0 {
		return append(out, '0'), true
	}
	if exp := exponent(value); exp >= -7 && exp < 21 && exp != -7 {
		return strconv.AppendFloat(out, value, 'f', -1, 64), true
	}
	return appendShortExponent(out, value), true
}

// tens are the powers by which the reader of JSON paths scales.
var tens = func() (powers [309]float64) {
	for i := range powers {
		powers[i], _ = strconv.ParseFloat("1e"+strconv.Itoa(i), 64)
	}
	return powers
}()

// scaled is a double as the reader of JSON paths makes it of digits and an exponent: quick, and at times one place off.
func scaled(digits uint64, exp int) (float64, bool) {
	value := float64(digits)
	for exp < -308 && value != 0 {
		value /= 1e308
		exp += 308
	}
	if value == 0 {
		return 0, true
	}
	if exp > 308 {
		return 0, false
	}
	if exp >= 0 {
		value *= tens[exp]
		return value, !math.IsInf(value, 0)
	}
	return value / tens[-exp], true
}
