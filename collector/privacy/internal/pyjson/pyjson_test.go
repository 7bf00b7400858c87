package pyjson

import (
	"math"
	"strings"
	"testing"
)

// written is what Python's json.dumps(json.loads(text), ensure_ascii=False) gives.
var written = map[string]string{
	`null`: `null`, ` [ true ,false ]` + "\n": `[true, false]`, `{"b":1,"a":2,"b":3}`: `{"b": 3, "a": 2}`, `{}`: `{}`, `[]`: `[]`,
	`[1.0, 1.50, 1e5, 1E400, -1e400]`:  `[1.0, 1.5, 100000.0, Infinity, -Infinity]`,
	`[-0, -0.0, 1e16, 1e-5, 0.0001]`:   `[0, -0.0, 1e+16, 1e-05, 0.0001]`,
	`[NaN, Infinity, -Infinity]`:       `[NaN, Infinity, -Infinity]`,
	`[123456789012345678901234567890]`: `[123456789012345678901234567890]`,
	`"\u00e9\n\t\/\\\"\u001f\u007f"`:   `"é\n\t/\\\"\u001f` + "\x7f\"",
	`"\ud83d\ude00 \ud83d \ude00"`:     "\"😀 \xed\xa0\xbd \xed\xb8\x80\"",
	`"\udc00\udc00"`:                   "\"\xed\xb0\x80\xed\xb0\x80\"",
	`"\ud83d\ud83d\ude00"`:             "\"\xed\xa0\xbd😀\"",
	`{"a": {"b": [{"c": "d"}]}}`:       `{"a": {"b": [{"c": "d"}]}}`,
}

func TestWhatIsReadIsWrittenAsPythonDoes(t *testing.T) {
	for text, want := range written {
		value, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := string(Append(nil, &value, Form{})); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

func TestOtherFormsOfWriting(t *testing.T) {
	value, _ := Parse(`{"é": ["\ud83d\ude00", "\ud83d", "\u007f", 1, {"a": null}]}`)
	if got := string(Append(nil, &value, Form{ASCII: true})); got != `{"\u00e9": ["\ud83d\ude00", "\ud83d", "\u007f", 1, {"a": null}]}` {
		t.Error(got)
	}
	if got := string(Append(nil, &value, Form{Compact: true})); !strings.HasPrefix(got, `{"é":["😀","`) || strings.Contains(got, " ") {
		t.Error(got)
	}
}

func TestWhatPythonDoesNotTakeForJSON(t *testing.T) {
	for _, text := range []string{
		``, ` `, `[1,]`, `[01]`, `[1.]`, `[.5]`, `[-]`, `[+1]`, `[1e]`, `{"a"}`, `{1: 2}`, `{"a": 1,}`, `["a" "b"]`, `[1] x`, "[1]\v", "\ufeff[1]",
		`["\x"]`, `["\u12g4"]`, `["\u12"]`, `["\`, `["a`, "[\"\t\"]", "[\"\\n\t\"]", `nul`, `[truex]`, `[inf]`, `[-nan]`, `{`, `[`, `{"a":`, `{'a': 1}`,
		"[" + strings.Repeat("1", longest+1) + "]", strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		if value, err := Parse(text); err == nil {
			t.Errorf("%.40q was read as %v", text, value.Kind)
		}
	}
	for _, text := range []string{"[" + strings.Repeat("1", longest) + "]", strings.Repeat("[", 800) + strings.Repeat("]", 800)} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestLargeObjectsKeepOrderAndLastValues(t *testing.T) {
	var text strings.Builder
	for i := range 60 {
		text.WriteString(`,"k` + strings.Repeat("x", i%20) + `":` + strings.Repeat("1", 1+i/20))
	}
	value, err := Parse("{" + text.String()[1:] + "}")
	if err != nil || len(value.Members) != 20 {
		t.Fatal(err, len(value.Members))
	}
	for i, member := range value.Members {
		if len(member.Key) != i+1 || member.Value.Text != "111" {
			t.Errorf("%d: %s = %s", i, member.Key, member.Value.Text)
		}
	}
}

func TestNumbersInCanonicalForm(t *testing.T) {
	for number, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -2.5: "-2.5", 1e20: "100000000000000000000", 1e21: "1e+21", 1.5e300: "1.5e+300", 1e-6: "0.000001",
		1e-7: "1e-7", 1.25e-9: "1.25e-9", 5e-324: "5e-324", 123456789012345680: "123456789012345680", 0.1: "0.1",
		math.Inf(-1): "-inf", math.Inf(1): "inf", math.NaN(): "nan",
	} {
		if got := Canonical(&Value{Kind: Float, Number: number}); got != want {
			t.Errorf("%v: %s, not %s", number, got, want)
		}
	}
	if got := Canonical(&Value{Kind: Int, Text: "123456789012345678901"}); got != "123456789012345678901" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	for text := range written {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := Parse(text)
		if err != nil {
			return
		}
		once := string(Append(nil, &value, Form{}))
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("%q is not read again: %v", once, err)
		}
		if twice := string(Append(nil, &again, Form{})); twice != once {
			t.Fatalf("%q became %q", once, twice)
		}
	})
}
