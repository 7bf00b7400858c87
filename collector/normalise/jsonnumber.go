package normalise

import (
	"math"
	"strconv"
)

// number reads a number, or one of the words that Python takes for one.
func (r *reader) number() (value, bool) {
	if !r.isPath {
		switch {
		case r.word("NaN"):
			return value{kind: kindDouble, number: math.NaN()}, true
		case r.word("Infinity"):
			return value{kind: kindDouble, number: math.Inf(1)}, true
		case r.word("-Infinity"):
			return value{kind: kindDouble, number: math.Inf(-1)}, true
		}
	}
	start := r.at
	isNegative := r.peek() == '-'
	if isNegative {
		r.at++
	}
	first := r.at
	r.digits()
	if r.at == first || r.source[first] == '0' && r.at > first+1 {
		// Python stops after a leading zero, and then nothing may follow.
		return value{}, false
	}
	whole := r.at
	isWhole := true
	if r.peek() == '.' {
		r.at++
		if after := r.at; r.digits() == after {
			return value{}, false
		}
		isWhole = false
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.at++
		if c := r.peek(); c == '+' || c == '-' {
			r.at++
		}
		if after := r.at; r.digits() == after {
			return value{}, false
		}
		isWhole = false
	}
	said := r.source[start:r.at]
	if r.isPath {
		return pathNumber(said, isNegative, isWhole)
	}
	if !isWhole {
		made, _ := strconv.ParseFloat(said, 64)
		return value{kind: kindDouble, number: made}, true
	}
	if whole-first > longest {
		return value{}, false
	}
	if said == "-0" {
		said = "0"
	}
	return value{kind: kindInt, text: said}, true
}

func (r *reader) digits() int {
	for r.at < len(r.source) && '0' <= r.source[r.at] && r.source[r.at] <= '9' {
		r.at++
	}
	return r.at
}

// pathNumber makes a number as the reader of JSON paths does: whole ones of 64 bits, and all others as doubles.
func pathNumber(said string, isNegative, isWhole bool) (value, bool) {
	if isWhole && said != "-0" {
		if _, err := strconv.ParseInt(said, 10, 64); err == nil {
			return value{kind: kindInt, text: said}, true
		}
		if _, err := strconv.ParseUint(said, 10, 64); err == nil {
			return value{kind: kindInt, text: said}, true
		}
	}
	if isNegative {
		said = said[1:]
	}
	var digits uint64
	exp, isFull, isAfter, at := 0, false, false, 0
	for ; at < len(said) && said[at] != 'e' && said[at] != 'E'; at++ {
		c := said[at]
		if c == '.' {
			// What is full is asked anew after the point.
			isAfter, isFull = true, false
			continue
		}
		digit := uint64(c - '0')
		if isFull = isFull || digits > (math.MaxUint64-digit)/10; isFull {
			if !isAfter {
				exp++
			}
			continue
		}
		digits = digits*10 + digit
		if isAfter {
			exp--
		}
	}
	if at < len(said) {
		power, err := strconv.ParseInt(said[at+1:], 10, 32)
		if err != nil {
			if digits != 0 && said[at+1] != '-' {
				return value{}, false
			}
			return value{kind: kindDouble, number: signed(0, isNegative)}, true
		}
		exp += int(power)
	}
	made, ok := scaled(digits, exp)
	return value{kind: kindDouble, number: signed(made, isNegative)}, ok
}

func signed(number float64, isNegative bool) float64 {
	if isNegative {
		return -number
	}
	return number
}
