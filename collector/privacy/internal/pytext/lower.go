package pytext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	capitalSigma = 'Σ'
	dottedI      = 'İ'
)

// Lower is `str.lower`: also the two letters whose lower case depends on where they stand or is more than one code point.
func Lower(text string) string {
	from := 0
	for from < len(text) && text[from] < utf8.RuneSelf && (text[from] < 'A' || text[from] > 'Z') {
		from++
	}
	if from == len(text) {
		return text
	}
	var made strings.Builder
	made.Grow(len(text) + 8)
	made.WriteString(text[:from])
	for at := from; at < len(text); {
		if c := text[at]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			made.WriteByte(c)
			at++
			continue
		}
		r, size := Decode(text[at:])
		switch {
		case r == utf8.RuneError || unicode.Is(unicode.Cs, r):
			made.WriteString(text[at : at+size])
		case r == dottedI:
			made.WriteString("i̇")
		case r == capitalSigma && isFinal(text, at, size):
			made.WriteRune('ς')
		default:
			made.WriteRune(unicode.ToLower(r))
		}
		at += size
	}
	return made.String()
}

// isFinal says whether a sigma ends a word: a letter stands before it and none behind it.
func isFinal(text string, at, size int) bool {
	is := false
	for before := text[:at]; len(before) > 0; {
		r, n := DecodeLast(before)
		if !isIgnored(r) {
			is = isCased(r)
			break
		}
		before = before[:len(before)-n]
	}
	for after := text[at+size:]; is && len(after) > 0; {
		r, n := Decode(after)
		if !isIgnored(r) {
			return !isCased(r)
		}
		after = after[n:]
	}
	return is
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// isIgnored is the property Case_Ignorable: marks, modifiers, and punctuation that stands inside words.
func isIgnored(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·\u0387\u055F\u05F4‘’․‧\uFE13\uFE52\uFE55＇．：", r)
}

// Fold is one letter for all that `re.IGNORECASE` takes for the same.
func Fold(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	if r == dottedI || r == 'ı' {
		return 'i'
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}

// Alike lists the letters with the same Fold.
func Alike(r rune) []rune {
	same := []rune{r}
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		same = append(same, next)
	}
	if Fold(r) == 'i' {
		return []rune{'i', 'I', dottedI, 'ı'}
	}
	return same
}
