package normalise

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// What is expected here was said by ingest/content.py; tests/collector/test_normalise.py compares far more.

func TestArgumentsComeWithoutTheWrappingOfTheFramework(t *testing.T) {
	for text, meant := range map[string]string{
		`{"n": 1}`:                                  `{"n": 1}`,
		`{'n': 1}`:                                  `{"n": 1}`,
		`plain`:                                     `plain`,
		``:                                          ``,
		`7`:                                         `7`,
		`{"args": [], "kwargs": {"n": 1}}`:          `{"n": 1}`,
		`{"args": [{"n": 1}], "kwargs": {}}`:        `{"n": 1}`,
		`{"tool_name": "x", "kwargs": {"n": 1}}`:    `{"n": 1}`,
		`{"input_str": "{'n': 1}"}`:                 `{"n": 1}`,
		`{"args": [1, 2], "kwargs": {"n": 1}}`:      `{"args": [1, 2], "kwargs": {"n": 1}}`,
		`{"kwargs": {"n": 1}, "more": 2}`:           `{"kwargs": {"n": 1}, "more": 2}`,
		`{"args": null, "kwargs": 3}`:               `{}`,
		`{'args': b'', 'kwargs': {'a': 1}}`:         `{"a": 1}`,
		`{'args': [{'a': 1}], 'kwargs': 0j}`:        `{"a": 1}`,
		`{'args': ({'a': 1},), 'kwargs': {}}`:       `{"args": [{"a": 1}], "kwargs": {}}`,
		`{'a': '<my.Tool object at 0x7f>', 'b': 1}`: `{"b": 1}`,
		`{"a": 1e16, "b": 1e-5, "c": -0, "d": -0.0, "e": 0.1}`: `{"a": 1e+16, "b": 1e-05, "c": 0, "d": -0.0, "e": 0.1}`,
		`{"a": NaN, "b": -Infinity, "c": 1e400}`:               `{"a": NaN, "b": -Infinity, "c": Infinity}`,
		`{"a": "\ud83d\ude00\ud83d"}`:                          `{"a": "\ud83d\ude00\ud83d"}`,
		`{"a": 1, "b": 2, "a": 3}`:                             `{"a": 3, "b": 2}`,
	} {
		if came := arguments(text); came != meant {
			t.Errorf("%s: %s, expected %s", text, came, meant)
		}
	}
}

func TestPythonLiteralsAreReadAsPythonReadsThem(t *testing.T) {
	for text, meant := range map[string]string{
		`{'n': None, 'b': True, 'c': (1, 2)}`:                           `{"n": null, "b": true, "c": [1, 2]}`,
		`{1: 'a', True: 'b', 1.0: 'c', None: 1, 2.5: 2}`:                `{"1": "c", "null": 1, "2.5": 2}`,
		`{'a': '\ud800é'}`:                                              `{"a": "\ud800\u00e9"}`,
		`{'a': r'\n' 'b'}`:                                              `{"a": "\\nb"}`,
		`{'a': 0x_1F, 'b': 1_000.5, 'c': .5, 'd': 1e400}`:               `{"a": 31, "b": 1000.5, "c": 0.5, "d": Infinity}`,
		"[1, 'x'] # said\n":                                             `[1, "x"]`,
		`{'a': -1, 'b': +2.0, 'c': -(3)}`:                               `{"a": -1, "b": 2.0, "c": -3}`,
		"{'a': '''x\r\ny'''}":                                           `{"a": "x\ny"}`,
		"{'a': 'x\\\ny\\x41\\101\\q'}":                                  `{"a": "xyAA\\q"}`,
		`{'a': 12345678901234567890123}`:                                `{"a": 12345678901234567890123}`,
		"{'a':\t[\n1,\n]}":                                              `{"a": [1]}`,
		`{'a': 'b', 'a': 'c'}`:                                          `{"a": "c"}`,
		"[1, {}]\n\n#":                                                  `[1, {}]`,
		"['a'" + strings.Repeat(" ", 3) + `"b"]`:                        `["ab"]`,
		"[" + strings.Repeat("(", 199) + strings.Repeat(")", 199) + "]": `[[]]`,
	} {
		if came := arguments(text); came != meant {
			t.Errorf("%s: %s, expected %s", text, came, meant)
		}
	}
}

func TestWhatIsNoLiteralStaysAsItIs(t *testing.T) {
	for _, text := range []string{
		`{'a': b'x'}`, `{'a': {1, 2}}`, `{'a': 1+2j}`, `{'a': ...}`, `{'a': --1}`, `{'a': f'x'}`, `{'a': 01}`, `['a'], [2]`, `{**{}}`,
		`{'a': 1 'b'}`, `[x for x in 1]`, `{'a': set()}`, `{(1, 2): 3}`, `{[1]: 2}`, `__import__('os')`, `{'a': x}`, `['a', 1]1`, "['a']\n  ",
		`{'a': 1_}`, `['a\`, `['\x4']`, `['\U00110000']`, `[b'a' 'b']`, `{'a': '`, `{'a'`, `{'a':`, `['a'`, `[`, `{`, "['a\nb']", `{'a': 1-2}`,
		`{'a': -True}`, `{'a', 1: 2}`, `{'a': 1, 2}`, "['\x00']", "[" + strings.Repeat("(", 200) + strings.Repeat(")", 200) + "]",
		strings.Repeat("[", 201) + "'a'" + strings.Repeat("]", 201),
	} {
		if came := arguments(text); came != text {
			t.Errorf("%q became %q", text, came)
		}
	}
}

func TestTheRequestIsWhatTheUserAsked(t *testing.T) {
	for text, asked := range map[string]string{
		`Refund 7`:                      `Refund 7`,
		`"Refund 7"`:                    `Refund 7`,
		`{"task": "Refund 7", "id": 3}`: `Refund 7`,
		`[{"role":"user","content":"first"},{"role":"assistant","content":"?"},{"role":"User","content":"last"}]`: `last`,
		`[{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}]`:                 `one two`,
		`{"messages":[{"type":"human","content":"Refund 7"}]}`:                                                    `Refund 7`,
		`[[{"role":"user","content":"Refund 7"}]]`:                                                                `Refund 7`,
		`{"args":[],"kwargs":{"question":"Refund 7"}}`:                                                            `Refund 7`,
		`[{"role":"assistant","content":"hello"}]`:                                                                ``,
		`[{"role":5,"type":"user","content":"hello"}]`:                                                            ``,
		"\x1c  \u3000":              ``,
		`17`:                        ``,
		`{"input": "go \ud800"}`:    `go ?`,
		strings.Repeat("é", 10_000): strings.Repeat("é", requestLimit),
	} {
		if came, is := request(text); came != asked || is != (asked != "") {
			t.Errorf("%.60s: %.60s, expected %.60s", text, came, asked)
		}
	}
}

func TestToolCallsAreFoundInAnyVocabulary(t *testing.T) {
	one := `[{"id": "k", "name": "send", "arguments": "{\"n\": 1}"}]`
	for _, answer := range []string{
		`[{"tool_calls": [{"id": "k", "type": "function", "function": {"name": "send", "arguments": "{\"n\": 1}"}}]}]`,
		`{"parts": [{"type": "tool_call", "id": "k", "name": "send", "arguments": {"n":1}}]}`,
		`[{"toolUse": {"toolUseId": "k", "name": "send", "input": {"n": 1}}}]`,
		`{"id": "k", "functionCall": {"name": "send", "args": {"n": 1}}}`,
		`{"content": "[{\"type\": \"tool_use\", \"id\": \"k\", \"name\": \"send\", \"input\": {\"n\": 1}}]"}`,
		"a.tool_calls.0.id\x1ek\x1fa.tool_calls.0.name\x1esend\x1fa.tool_calls.0.arguments\x1e{\"n\": 1}",
	} {
		if came, _ := toolCalls(answer); came != one {
			t.Errorf("%s: %s", answer, came)
		}
	}
	for _, answer := range []string{
		`{"role": "assistant", "content": "send"}`, `[]`, `7`, `text`, `null`, `{"name": "send", "arguments": "{}"}`, ``,
		`[{"type": "text", "name": "send"}]`, `{"tool_calls": [{"id": "k"}]}`, `{"content": "[{\"type\": broken"}`, "\x1e", ".\x1ex\x1f..\x1ey",
		`{"a": "` + strings.Repeat("[", 2000) + `", "tool_calls": [{"name": "send"}]}`,
	} {
		if came, is := toolCalls(answer); is {
			t.Errorf("%.80s: %s", answer, came)
		}
	}
}

func TestCallsInKeysComeInTheOrderOfTheirNumbers(t *testing.T) {
	var pairs []pair
	for _, n := range []string{"10", "2", "0", "٣"} {
		pairs = append(pairs, pair{1, "x." + n + ".tool_call.name", "old"}, pair{1, "x." + n + ".tool_call.name", "t" + n}, pair{2, "y", "z"})
	}
	came, _ := toolCalls(joined(pairs, 0))
	var order []int
	for _, name := range []string{`"t0"`, `"t2"`, `"t\u0663"`, `"t10"`} {
		order = append(order, strings.Index(came, name))
	}
	if !slices.IsSorted(order) || order[0] < 0 || strings.Contains(came, "old") {
		t.Error(came)
	}
}

func TestNamesAndTruths(t *testing.T) {
	for text, expected := range map[string][]string{
		`["a","b"]`: {"a", "b"}, "a b,c\u00a0d": {"a", "b", "c", "d"}, `[["\udbc1\udd48\u2028"]]`: {`['\U00100548\u2028']`}, ``: {}, `[]`: {}, `7`: {"7"}, `"a b"`: {"a b"}, `["\ud800"]`: {"?"},
		`[true, null, 1.0, {"a": ["it's", "\u00ad\n"]}]`: {"True", "None", "1.0", `{'a': ["it's", '\xad\n']}`},
	} {
		if came := names(text); !slices.Equal(came, expected) {
			t.Errorf("%s: %q", text, came)
		}
	}
	for text, expected := range map[string][2]bool{"true": {true, true}, " TRUE\x1f": {true, true}, "0": {false, true}, "no": {}, "": {}} {
		if is, ok := truth(text); is != expected[0] || ok != expected[1] {
			t.Errorf("%q: %v, %v", text, is, ok)
		}
	}
}

func TestTheDigestIsThatOfRFC8785(t *testing.T) {
	for text, canon := range map[string]string{
		`{"b": [1.0, "\u00e9"], "a": 2}`:                                      `{"a":2,"b":[1,"é"]}`,
		`{"\ue000": 1, "\ud83d\ude00": 2, "a": 3}`:                            "{\"a\":3,\"😀\":2,\"\ue000\":1}",
		`[1e21, 1e20, 1e-6, 1e-7, -0.0, 0.1, 100, 123456789.5, "\u0001\n\/"]`: `[1e+21,100000000000000000000,0.000001,1e-7,0,0.1,100,123456789.5,"\u0001\n/"]`,
		`no json`:                 `no json`,
		`{"a": 9007199254740992}`: `{"a": 9007199254740992}`,
		`{"a": NaN}`:              `{"a": NaN}`,
		`{"a": "\ud800"}`:         `{"a": "\ud800"}`,
		strings.Repeat("[", 2000): strings.Repeat("[", 2000),
	} {
		sum := sha256.Sum256([]byte(canon))
		if came, _ := digest(text, nil); came != "sha256:"+hex.EncodeToString(sum[:]) {
			t.Errorf("%.80s is not %.80s", text, canon)
		}
	}
}
