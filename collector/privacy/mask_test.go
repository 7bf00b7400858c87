package privacy

import (
	"bytes"
	"strings"
	"testing"

	"github.com/actorscope/actorscope/collector/privacy/internal/pyjson"
	"github.com/actorscope/actorscope/collector/semconv"
)

var testKey = bytes.Repeat([]byte("k"), 32)

func rules(t testing.TB) *semconv.Rules {
	t.Helper()
	loaded, err := semconv.Load()
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func policy(t testing.TB, config Config) *Policy {
	t.Helper()
	made, err := New(config, rules(t))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func masked(p *Policy, key, text string) string { return p.mask.text(p.keys.get(key), text) }

func TestFingerprintsAreThoseOfTheIngester(t *testing.T) {
	m := policy(t, Config{FingerprintKey: testKey}).mask
	for text, want := range map[string]string{
		"Ada": Prefix + "5664d0a0c71951c14e4947bf5156f58a", "\xed\xa0\x80x": Prefix + "62a1d6eb174bbd98a4986bd1ecee9834", "": Prefix + "a4ad8e340e32bf1d916005cb1dc92795", Prefix + "ab": Prefix + "ab",
	} {
		if got := m.fingerprint(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	if long := strings.Repeat("x", 5000); m.fingerprint(long) == m.fingerprint(long[1:]) {
		t.Error("only the beginning counts")
	}
}

func TestKeysOfContent(t *testing.T) {
	p := policy(t, Config{})
	for _, key := range []string{
		"gen_ai.input.messages", "gen_ai.prompt.0.content", "input.value", "gen_ai.tool.call.arguments", "gen_ai.system_instructions",
		"llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", "ai.prompt", "traceloop.entity.output", "genkit:input",
		"gen_ai.prompt.٣", "actorscope.edge.original.gen_ai.prompt", "actorscope.request",
	} {
		if !p.IsContent(key) {
			t.Errorf("%s is no content", key)
		}
	}
	for _, key := range []string{
		"gen_ai.usage.input_tokens", "gen_ai.prompt.name", "gen_ai.tool.name", "ai.response.model", "input.mime_type", "user.id", "",
		"gen_ai.prompt\n", "actorscope.edge.original.gen_ai.tool.name", "@body", "x.gen_ai.prompt",
	} {
		if p.IsContent(key) {
			t.Errorf("%s is content", key)
		}
	}
}

func TestContentKeepsItsShapeAndLosesItsText(t *testing.T) {
	p := policy(t, Config{FingerprintKey: testKey})
	f := p.mask.fingerprint
	messages, arguments := "gen_ai.input.messages", "gen_ai.tool.call.arguments"
	nested := strings.Repeat(`[`, 63)
	for _, c := range []struct{ key, text, want string }{
		{messages, `[{"role":"user","content":"hi"}]`, `[{"role": "user", "content": "` + f("hi") + `"}]`},
		{messages, `{"type":"text","text":{"type":"x"}}`, `{"type": "text", "text": {"type": "` + f("x") + `"}}`},
		{messages, `{"a":"{\"b\": \"c\"}"}`, `{"a": "{\"b\": \"` + f("c") + `\"}"}`},
		{messages, `{"agent_name":"billing","text":{"coworker":"x"}}`, `{"agent_name": "billing", "text": {"coworker": "x"}}`},
		{messages, `{"usage":{"inputTokens":12},"n":1e2,"x":true,"y":null}`, `{"usage": {"inputTokens": 12}, "n": "` + f("100") + `", "x": true, "y": null}`},
		{"genkit:output", `{"inputTokens":12,"cost":-0,"COUNT":1e400}`, `{"inputTokens": 12, "cost": 0, "COUNT": Infinity}`},
		{arguments, `{"name":"Ada","agent_name":"b"}`, `{"name": "` + f("Ada") + `", "agent_name": "b"}`},
		{arguments, `{"tokens":12}`, `{"tokens": "` + f("12") + `"}`},
		{messages, "plain", f("plain")},
		{messages, `{"a": 1`, f(`{"a": 1`)},
		{messages, "None", "None"},
		{"gen_ai.prompt.0.role", "user", "user"},
		{"gen_ai.prompt.0.role", strings.Repeat("é", 129), f(strings.Repeat("é", 129))},
		{"gen_ai.prompt.0.content", "user", f("user")},
		{messages, `{"role":"` + strings.Repeat("é", 128) + `"}`, `{"role": "` + strings.Repeat("é", 128) + `"}`},
		{messages, `{"\ud800":"hi"}`, `{"?": "` + f("hi") + `"}`},
		{messages, nested + `["a"]` + strings.Repeat(`]`, 63), nested + `["` + f(`"a"`) + `"]` + strings.Repeat(`]`, 63)},
	} {
		if got := masked(p, c.key, c.text); got != c.want {
			t.Errorf("%s: %s\n  %s, not\n  %s", c.key, c.text, got, c.want)
		}
	}
}

// FuzzMask: what was masked stays as it is when it is masked again, and no text is left but under keys that say a kind.
func FuzzMask(f *testing.F) {
	p := policy(f, Config{FingerprintKey: testKey})
	for text := range map[string]bool{
		`{"a": [1, {"role": "x", "text": "[\"y\"]"}]}`: true, `[`: true, `{"agent_name": 1, "usage": 1e400}`: true, `["\ud800"]`: true, `{"": "é"}`: true,
		strings.Repeat(`{"a":`, 70) + `"x"` + strings.Repeat(`}`, 70): true,
	} {
		f.Add("gen_ai.input.messages", text)
		f.Add("gen_ai.tool.call.arguments", text)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		made := masked(p, key, text)
		isDeep := strings.Count(text, "[")+strings.Count(text, "{") > 60 // what is too deep is a fingerprint of JSON, and gets another one
		if again := masked(p, key, made); again != made && !isDeep {
			t.Fatalf("%q became %q", made, again)
		}
		info := p.keys.get(key)
		if info.isShape && len(text) <= longestWord {
			return
		}
		if bad := survivor(p, "", made); bad != "" {
			t.Fatalf("%q is left of %q", bad, text)
		}
	})
}

// survivor is a text in masked content that is no fingerprint and stands under no key of a kind.
func survivor(p *Policy, key, text string) string {
	if isKept(text) || strings.HasPrefix(text, Prefix) || p.content.words[key]&(shapeWord|agentWord) != 0 {
		return ""
	}
	value, err := pyjson.Parse(text)
	if err != nil {
		return text
	}
	return survivorIn(p, "", &value)
}

func survivorIn(p *Policy, key string, value *pyjson.Value) string {
	switch value.Kind {
	case pyjson.String:
		return survivor(p, key, value.Text)
	case pyjson.Int, pyjson.Float:
		if !p.content.isCounted(key) {
			return string(pyjson.Append(nil, value, pyjson.Form{}))
		}
	}
	for i := range value.Items {
		if bad := survivorIn(p, key, &value.Items[i]); bad != "" {
			return bad
		}
	}
	for i := range value.Members {
		if bad := survivorIn(p, value.Members[i].Key, &value.Members[i].Value); bad != "" {
			return bad
		}
	}
	return ""
}
