package normalise

import (
	"math"
	"strings"
	"testing"
)

func TestAPathFindsWhatPolarsFinds(t *testing.T) {
	for _, one := range []struct{ path, text, found string }{
		{"$", `{"b":1, "a":2, "b":3}`, `{"b":3,"a":2}`},
		{"$", `[1.0,1e21,1e16,1e15,1e-5,1e-6,-0,18446744073709551615,18446744073709551616]`,
			`[1.0,1e+21,1e+16,1000000000000000.0,0.00001,1e-6,-0.0,18446744073709551615,1.8446744073709552e+19]`},
		{"$", `9007199254740993.0`, `9007199254740994.0`}, // one place off, as there
		{"$", `0e99999999999`, `0.0`}, {"$", `1e-99999999999`, `0.0`}, {"$", ` "x" `, `x`}, {"$", `true`, `true`},
		{"$", `{"a":"é\u0001\n\"\/"}`, `{"a":"é\u0001\n\"/"}`},
		{"$.a", `{"a":1,"a":2}`, `2`}, {"$.a.b", `{"a":{"b":[null]}}`, `[null]`}, {"$.a[1].b", `{"a":[{"b":1},{"b":"x"}]}`, `x`},
		{"$[0]", `[{"a": 1}]`, `{"a":1}`},
	} {
		made, err := newPath(one.path)
		if err != nil {
			t.Fatal(err)
		}
		if found, is := made.find(one.text); !is || found != one.found {
			t.Errorf("%s in %s: %q, expected %q", one.path, one.text, found, one.found)
		}
	}
}

func TestAPathFindsNothingElse(t *testing.T) {
	for _, one := range [][2]string{
		{"$", `null`}, {"$", ``}, {"$", `1e400`}, {"$", `1.0e99999999999`}, {"$", `"\ud800"`}, {"$", `NaN`}, {"$", `{"a":1} x`}, {"$", `01`}, {"$", `1.`},
		{"$.a", `{"a":null}`}, {"$.a", `{"a":1,"a":null}`}, {"$.a", `[{"a":1}]`}, {"$.a[0]", `{"a":{"0":5}}`}, {"$.a[0]", `{"a":[]}`}, {"$.a", `"a"`},
		{"$.b", `{"b":1,"a":1e400}`}, {"$.b", `{"b":1,"a":"\ud800"}`}, {"$.b", `{"b":1`}, {"$", strings.Repeat("[", 128) + strings.Repeat("]", 128)},
	} {
		made, err := newPath(one[0])
		if err != nil {
			t.Fatal(err)
		}
		if found, is := made.find(one[1]); is {
			t.Errorf("%s in %.40s: %q", one[0], one[1], found)
		}
	}
}

func TestOtherPathsAreRefused(t *testing.T) {
	for _, text := range []string{"", "a", "$a", "$..a", "$.a[*]", "$.a[x]", "$.", "$[", "$.a b", "$[-1]"} {
		if _, err := newPath(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestTextIsANumberAsPolarsSeesIt(t *testing.T) {
	for text, expected := range map[string]float64{
		"1": 1, "+1": 1, "-1.5": -1.5, "1.": 1, ".5": .5, "1E3": 1000, "1.e5": 1e5, "1e-400": 0, "00012": 12, "9007199254740993": 1 << 53,
		"1e400": math.Inf(1), "-INF": math.Inf(-1), "+infinity": math.Inf(1), "0e99999999999": 0,
	} {
		if came, is := number(text); !is || came != expected {
			t.Errorf("%s: %v, %v", text, came, is)
		}
	}
	for _, text := range []string{"", " 1", "1 ", "1_0", "0x10", "infin", "nan(1)", "1e", ".", "+", "--1", "1,5", "１", "0x1p3", "in", "- 1", "1e5.0"} {
		if came, is := number(text); is {
			t.Errorf("%q: %v", text, came)
		}
	}
	if came, is := number("+NaN"); !is || !math.IsNaN(came) {
		t.Error(came, is)
	}
}

func TestLowerCaseIsThatOfPolars(t *testing.T) {
	for text, expected := range map[string]string{
		"ABC": "abc", "İx": "i\u0307x", "ΑΣ": "ας", "Σ": "σ", "AΣ.B": "aσ.b", "AΣ b": "aς b", "Α\u0301Σ": "α\u0301ς", "1Σ": "1σ", "A\u0387Σ": "a\u0387ς", "\u212a": "k", "ß": "ß",
	} {
		if came := lower(text); came != expected {
			t.Errorf("%q: %q", text, came)
		}
	}
}

func TestPatternsKnowAllOfUnicode(t *testing.T) {
	for _, one := range []struct{ pattern, text, found string }{
		{`(\w+)$`, "a.é_1", "é_1"}, {`^(\d+)`, "٣4x", "٣4"}, {`^([\w-]+)\s`, "é-a\u00a0", "é-a"}, {`^(\w+Error)\b`, "XError: y", "XError"},
		{`^(\w+Error)\b`, "XErroré", ""}, {`(\W)`, "é.", "."}, {`([^]\d]+)`, "1]a", "a"}, {`(?i)(needs it|wants)`, "x NEEDS it", "NEEDS it"},
		{`(?i)(needs it|wants)`, "x needſ it", "needſ it"}, {`(?i)(needs it|wants)`, "x need it", ""}, {`a(b)?`, "a", ""},
	} {
		made, err := compile(one.pattern, wordClass)
		if err != nil {
			t.Fatal(err)
		}
		if found, is := made.group(one.text); found != one.found || is != (found != "") {
			t.Errorf("%s in %s: %q", one.pattern, one.text, found)
		}
	}
	for _, expression := range []string{`\bx`, `x\B`, `[\W]`, `(`, `(a(?=b))`} {
		if _, err := compile(expression, wordClass); err == nil {
			t.Errorf("%s was taken", expression)
		}
	}
}
