package pytext

import (
	"slices"
	"testing"
)

const (
	high = "\xed\xa0\x80" // U+D800, half of a pair
	low  = "\xed\xbf\xbf" // U+DFFF
)

func TestLowerCaseOfAllKinds(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "ABC é": "abc é", "É": "é", "İstanbul": "i̇stanbul", "ΑΣ": "ας", "ΑΣ.": "ας.", "ΑΣ.Α": "ασ.α", "Σ": "σ",
		"ΑΣ'": "ας'", "aΣ\u0301b": "aσ\u0301b", "K": "k", "ẞ": "ß", high + "A": high + "a", "\xffA": "\xffa", "A\xed": "a\xed",
	} {
		if got := Lower(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

func TestHalvesOfPairsAreOneCodePoint(t *testing.T) {
	if r, size := Decode(low + "x"); r != 0xDFFF || size != 3 {
		t.Errorf("%x of %d bytes", r, size)
	}
	if r, size := DecodeLast("x" + high); r != 0xD800 || size != 3 {
		t.Errorf("%x of %d bytes", r, size)
	}
	if got := string(AppendHalf(AppendHalf(nil, 0xD800), 0xDFFF)); got != high+low {
		t.Errorf("%q", got)
	}
	if got := Whole("a" + high + "\xff" + "é"); got != "a??é" {
		t.Errorf("%q", got)
	}
	if WordAfter("x"+high, 1) || WordBefore(high+"x", 3) {
		t.Error("half of a pair is in no word")
	}
}

func TestLengthsAreInCodePoints(t *testing.T) {
	text := "aé" + high + "😀z"
	for n, want := range []string{"", "a", "aé", "aé" + high, "aé" + high + "😀", text, text} {
		if got := Head(text, n); got != want {
			t.Errorf("head %d: %q", n, got)
		}
		if AtMost(text, n) != (n >= 5) {
			t.Errorf("at most %d", n)
		}
	}
	for n, want := range []string{"", "z", "😀z", high + "😀z", "é" + high + "😀z", text, text} {
		if got := Tail(text, n); got != want {
			t.Errorf("tail %d: %q", n, got)
		}
	}
}

func TestWordsDigitsAndSpaces(t *testing.T) {
	for r, want := range map[rune][3]bool{
		'a': {true, false, false}, '_': {true, false, false}, '7': {true, true, false}, 'é': {true, false, false}, '٣': {true, true, false},
		'½': {true, false, false}, '\u0301': {false, false, false}, '\x1c': {false, false, true}, '\u2003': {false, false, true},
		'\u200b': {false, false, false}, '-': {false, false, false},
	} {
		if got := [3]bool{IsWord(r), IsDigit(r), IsSpace(r)}; got != want {
			t.Errorf("%q: %v", r, got)
		}
	}
	if got := Strip("\x1c\u2003 a b\u0085\n"); got != "a b" {
		t.Errorf("%q", got)
	}
}

func TestLettersThatCaseDoesNotTell(t *testing.T) {
	for _, same := range [][]rune{{'i', 'I', 'İ', 'ı'}, {'s', 'S', 'ſ'}, {'k', 'K', 'K'}, {'é', 'É'}, {'σ', 'ς', 'Σ'}, {'7'}} {
		for _, r := range same {
			if Fold(r) != Fold(same[0]) || !slices.Contains(Alike(r), same[0]) {
				t.Errorf("%q is not like %q", r, same[0])
			}
		}
	}
}
