package privacy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPatternsMeanWhatTheyMeanInTheIngester(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{`\bada\b`, "ada adaé éada (ada) ada", "X adaé éada (X) X"},
		{`\bada\b`, "ada ada_ ada", "X ada_ X"},
		{`\Bz`, "éz z z", "éX z z"},
		{`\d{3}`, "a١٢٣b123", "aXbX"},
		{`[\d-]+`, "1-٢x", "Xx"},
		{`\D+`, "1é٢x", "1X٢X"},
		{`\w+`, "é\u0301\u200dⓐ!", "X!"},
		{`[^\w]+`, "é!é", "éXé"},
		{`[\W]`, "é!é", "éXé"},
		{`a\s+b`, "a\u2003\u00a0b a\x1cb", "X a\x1cb"},
		{`(?i)\bk\b`, "K k é K", "X X é X"},
		{`(?i)\bk\b`, "\u212a K k\u212a", "X X k\u212a"},
		{`(?i)[k]x`, "\u212ax", "X"},
		{`\w+`, "a\u200c\u200db!", "X!"},
		{`\b(?:a.*z|a)`, "ab a", "Xb X"},
		{`\b`, "aé b", "XaéX XbX"},
		{`(?:a*|b)\B`, "éaab", "éXb"},
		{`\bé|é\b`, "éé", "XX"},
		{`(?s)a.*?(?:b|$)`, "é a\nb a", "é X X"},
		{`(?m)^\bx$`, "x\ny\nx é", "X\ny\nx é"},
		{`[]a]+`, "]a é", "X é"},
		{`[^]]\b`, "]é", "]X"},
		{`[[:alpha:]\]]+\b`, "a]b é", "X é"},
		{`a{2,3}\b`, "aaaé aaa é", "aaaé X é"},
	} {
		p, err := compile(c.pattern, &rust)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.replace(c.text, "X"); got != c.want {
			t.Errorf("%s in %q: %q, not %q", c.pattern, c.text, got, c.want)
		}
		if p.matches(c.text) != (c.text != c.want) {
			t.Errorf("%s in %q: found or not?", c.pattern, c.text)
		}
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	for _, text := range []string{
		`(`, `(?<=x)y`, `[a`, `[a&&b]`, `[a--b]`, `[a~~b]`, `[[a]b]`, `a{,3}`, `\Qa\E`, `\<a`, `\b{start}a`, `\0`, `[[:alpha`, `a{2000}`, `\`, `(?x) a`,
	} {
		if _, err := compile(text, &rust); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// FuzzPattern: where a text is ASCII, our matcher and the engine of Go must agree.
func FuzzPattern(f *testing.F) {
	f.Add(`\bab?|(?:c+d)*\b`, "ab cdcd a")
	f.Add(`(?i)x*?\B`, "xXy")
	f.Add(`A?()x*?\B`, "")
	f.Fuzz(func(t *testing.T, text, in string) {
		if len(text) > 50 || len(in) > 200 || strings.ContainsFunc(in, func(r rune) bool { return r > 126 }) {
			return
		}
		p, err := compile(text, &python)
		if err != nil {
			return
		}
		translated, _ := translate(text, &python)
		plain := regexp.MustCompile(translated)
		if got, want := p.replace(in, "_"), plain.ReplaceAllLiteralString(in, "_"); got != want {
			t.Fatalf("%s in %q: %q, not %q", text, in, got, want)
		}
		if p.matches(in) != plain.MatchString(in) {
			t.Fatalf("%s in %q: found or not?", text, in)
		}
	})
}

func TestHintsOfShippedPatterns(t *testing.T) {
	for _, texts := range rules(t).RedactPresets {
		for _, text := range texts {
			p, err := compile(text, &rust)
			if err != nil || p.hints.literals == nil || p.hints.shortest < 6 || p.hints.canBeEmpty {
				t.Error(text, err, p.hints.literals, p.hints.shortest)
			}
			t.Log(text, p.hints.literals, p.hints.shortest)
		}
	}
	for text, want := range map[string]string{
		`ab|cd`: "[ab cd]", `a+b`: "[a]", `x*abc?`: "[ab abc]", `(?i)ab`: "[AB Ab aB ab]", `[a-c]d`: "[ad bd cd]", `a*`: "[]", `.`: "[]", `(?:ab.|c)`: "[ab c]",
		`a.bcd.e`: "[bcd]", `\bab\b`: "[ab]", `(?:a.)?b`: "[b]", `(?:a.b)cd`: "[bcd]",
	} {
		p, err := compile(text, &rust)
		slices.Sort(p.hints.literals)
		if got := fmt.Sprint(p.hints.literals); err != nil || got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

func TestRangesOfClassesAreSyntax(t *testing.T) {
	for _, letter := range []byte("dDwWsS") {
		for _, in := range []*flavour{&python, &rust} {
			if _, err := regexp.Compile("[" + in.class(letter) + "]"); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		glob     string
		yes, not []string
	}{
		{"*password*", []string{"password", "db.PASSWORD.x", "PaſſWord", "\npassword\n"}, []string{"passwor", ""}},
		{"a?c", []string{"abc", "AéC", "a\nc"}, []string{"ac", "abbc"}},
		{"[!x-z]b", []string{"ab", "éb"}, []string{"xb", "Yb", "b"}},
		{"[a-cx]", []string{"A", "b", "X"}, []string{"d", "-"}},
		{"[c-a]", nil, []string{"a", "b", "c", "-"}},
		{"[]]x", []string{"]x"}, []string{"x"}},
		{"[!]]x", []string{"ax"}, []string{"]x"}},
		{"[a", []string{"[a", "[A"}, []string{"a"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{"[--a]", []string{"-", "A", "7", "b"}, []string{"{", ","}},
		{"[a-c-e]", []string{"b", "-", "e"}, []string{"d"}},
		{"*a*b*c", []string{"abc", "xaxbxcxc"}, []string{"acb", "abcx"}},
		{"İ", []string{"i", "I", "ı", "İ"}, []string{"j"}},
		{"", []string{""}, []string{"a"}},
		{"**", []string{"", "a"}, nil},
	} {
		g := newGlob(c.glob)
		for _, key := range c.yes {
			if !g.matches(key) {
				t.Errorf("%s does not match %q", c.glob, key)
			}
		}
		for _, key := range c.not {
			if g.matches(key) {
				t.Errorf("%s matches %q", c.glob, key)
			}
		}
	}
	if newGlob(strings.Repeat("*a", 40)).matches(strings.Repeat("a", 100_000) + "b") {
		t.Error("a long key")
	}
}
