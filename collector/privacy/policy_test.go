package privacy

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/semconv"
)

func span(t testing.TB, attributes map[string]any) ptrace.Span {
	t.Helper()
	made := ptrace.NewSpan()
	if err := made.Attributes().FromRaw(attributes); err != nil {
		t.Fatal(err)
	}
	return made
}

func names(attributes pcommon.Map, key string) (found []any) {
	if value, is := attributes.Get(key); is {
		found = value.Slice().AsRaw()
	}
	return found
}

func TestWithoutRulesNothingIsTouched(t *testing.T) {
	p := policy(t, Config{})
	one, same := span(t, map[string]any{"gen_ai.prompt": "ann@example.org"}), ptrace.NewSpan()
	one.CopyTo(same)
	if changes := p.Span(one); !p.Idle() || changes != (Changes{}) || !reflect.DeepEqual(one.Attributes().AsRaw(), same.Attributes().AsRaw()) {
		t.Error(changes)
	}
	if policy(t, Config{MaxValueBytes: 1}).Idle() || policy(t, Config{FingerprintKey: []byte{}}).Idle() {
		t.Error("what has rules is not idle")
	}
}

func TestTooManyAttributesAreDroppedCountedAndNamed(t *testing.T) {
	p := policy(t, Config{MaxAttributes: 8})
	one := ptrace.NewSpan()
	one.SetDroppedAttributesCount(4)
	for i := range 40 {
		one.Attributes().PutInt(fmt.Sprintf("k%d", i), int64(i))
	}
	changes := p.Span(one)
	if changes.AttributesDropped != 32 || one.DroppedAttributesCount() != 36 || one.Attributes().Len() != 9 {
		t.Error(changes, one.DroppedAttributesCount(), one.Attributes().Len())
	}
	if cut := names(one.Attributes(), semconv.IntakeCutKeys); len(cut) != 20 || cut[0] != "k8" || cut[19] != "k27" {
		t.Error(cut)
	}
	resource := pcommon.NewResource()
	one.Attributes().CopyTo(resource.Attributes())
	resource.SetDroppedAttributesCount(1<<32 - 1)
	if p.Resource(resource); resource.DroppedAttributesCount() != 1<<32-1 {
		t.Error(resource.DroppedAttributesCount())
	}
}

func TestLongValuesAreCutBetweenCharacters(t *testing.T) {
	p := policy(t, Config{MaxValueBytes: 1023})
	text := strings.Repeat("ä", 3000)
	one := span(t, nil)
	one.Attributes().PutStr("text", text)
	one.Attributes().PutEmptySlice("list").AppendEmpty().SetStr(text)
	one.Attributes().PutEmptyMap("map").PutStr("inner", "😀"+text)
	one.Attributes().PutEmptyBytes("bytes").FromRaw([]byte(text))
	one.Attributes().PutStr("", text)
	changes := p.Span(one)
	made := one.Attributes().AsRaw()
	short := strings.Repeat("ä", 511)
	want := map[string]any{"text": short, "list": []any{short}, "map": map[string]any{"inner": "😀" + strings.Repeat("ä", 509)},
		"bytes": []byte(text)[:1023], "": text, semconv.IntakeCutKeys: []any{"bytes", "text", "list", "map"}}
	if changes.AttributesCut != 4 || !reflect.DeepEqual(made, want) {
		t.Errorf("%v %v", changes, made)
	}
	for text, want := range map[string]string{"aé": "aé", "a\xc3": "a", "a\xf0\x9f\x98": "a", "a\x80\x80": "a\x80\x80", "\xff": "\xff", "é\xc3": "é"} {
		if got := cutText(text+"x", len(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestKeysAndPatternsAreRedactedWhereverTextIs(t *testing.T) {
	p := policy(t, Config{RedactKeys: []string{"*password*"}, RedactPatterns: []string{"ada[0-9]+"}, RedactPresets: []string{"emails"}})
	one := span(t, map[string]any{"db.PASSWORD.x": 5, "a": "ask ada17 twice ada18", "l": []any{"x", map[string]any{"y": "ada1"}}, "n": 17})
	one.SetName("for ada2")
	one.Status().SetMessage("ada5")
	event := one.Events().AppendEmpty()
	event.SetName("e ada3")
	event.Attributes().PutStr("exception.message", "no mail to Bob.S@example.org!")
	one.Links().AppendEmpty().Attributes().PutStr("via", "ada4")
	changes := p.Span(one)
	want := map[string]any{"db.PASSWORD.x": Redacted, "a": "ask " + Redacted + " twice " + Redacted, "n": int64(17),
		"l": []any{"x", map[string]any{"y": Redacted}}}
	if changes.ValuesRedacted != 8 || !reflect.DeepEqual(one.Attributes().AsRaw(), want) {
		t.Error(changes, one.Attributes().AsRaw())
	}
	said := fmt.Sprint(one.Name(), one.Status().Message(), event.Name(), event.Attributes().AsRaw(), one.Links().At(0).Attributes().AsRaw())
	if strings.Contains(said, "ada") || strings.Contains(said, "Bob") {
		t.Error(said)
	}
}

func TestWellKnownSecrets(t *testing.T) {
	p := policy(t, Config{RedactPresets: []string{"secrets", "cards"}})
	for _, secret := range []string{
		"AKIAIOSFODNN7EXAMPLE", "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "Bearer\u2003abcdefghijklmnopqrst",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "4111 1111 1111 1111", "٤ 3782 822463 10005",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
	} {
		for _, around := range []string{"x", "é"} {
			text := around + " " + secret + " " + around
			if got := p.redactor.clean(text); strings.TrimPrefix(got, around+" ٤") == got && got != around+" "+Redacted+" "+around {
				t.Errorf("%s: %s", text, got)
			}
		}
	}
}

func TestWhatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := New(Config{RedactPatterns: []string{"(", "a*", "fine", `(?<=x)y`}, RedactPresets: []string{"nothing"}}, rules(t))
	for _, said := range []string{`"("`, `"a*": it matches the empty text`, "(?<=x)y", `"nothing" is not known; there are: cards, emails, secrets`} {
		if err == nil || !strings.Contains(err.Error(), said) || strings.Contains(err.Error(), "fine") {
			t.Errorf("%v does not say %s", err, said)
		}
	}
}

func TestWithoutContentOnlyFingerprintsAreLeft(t *testing.T) {
	p := policy(t, Config{FingerprintKey: testKey})
	one := span(t, map[string]any{"gen_ai.tool.call.arguments": `{"to": "Ada@x.org", "url": "www.b.cd"}`, "gen_ai.prompt": []any{"Ada"},
		"output": 7, "gen_ai.tool.name": "pay", "gen_ai.tool.call.result": "you must pay Ada@x.org", "answer": true})
	changes := p.Span(one)
	f := p.mask.fingerprint
	want := map[string]any{
		"gen_ai.tool.call.arguments": `{"to": "` + f("Ada@x.org") + `", "url": "` + f("www.b.cd") + `"}`, "gen_ai.prompt": `["` + f("Ada") + `"]`,
		"output": f("7"), "gen_ai.tool.name": "pay", "gen_ai.tool.call.result": f("you must pay Ada@x.org"), "answer": true,
		semconv.ActionTargets:   []any{"email:" + f("ada@x.org"), "url:" + f("b.cd") + ":link"},
		semconv.ContentMentions: []any{"email:" + f("ada@x.org") + ":3"},
	}
	if changes.ContentsMasked != 4 || !reflect.DeepEqual(one.Attributes().AsRaw(), want) {
		t.Errorf("%v\n%v\n%v", changes, one.Attributes().AsRaw(), want)
	}
	said := span(t, map[string]any{"gen_ai.tool.call.arguments": "Ada@x.org", semconv.ActionTargets: []any{"mine"}})
	if p.Span(said); !reflect.DeepEqual(names(said.Attributes(), semconv.ActionTargets), []any{"mine"}) {
		t.Error("what the sender says does not stand")
	}
}

func TestMentionsOfARecordAreGathered(t *testing.T) {
	p := policy(t, Config{FingerprintKey: testKey})
	one := ptrace.NewSpan()
	one.Attributes().PutStr("gen_ai.tool.call.result", "you must send it to a@b.cd and x@y.zw")
	one.Attributes().PutStr("gen_ai.input.messages", "a@b.cd"+strings.Repeat(" ", 400)+"please v@w.xy")
	p.Span(one)
	f := p.mask.fingerprint
	want := []any{"email:" + f("a@b.cd") + ":3", "email:" + f("x@y.zw") + ":3", "email:" + f("v@w.xy") + ":1"}
	if got := names(one.Attributes(), semconv.ContentMentions); !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "u%d@example.org ", i)
	}
	one.Attributes().Clear()
	one.Attributes().PutStr("gen_ai.tool.call.result", text.String())
	if p.Span(one); len(names(one.Attributes(), semconv.ContentMentions)) != 64 {
		t.Error("too many mentions, or too few")
	}
	one.Attributes().PutStr("gen_ai.tool.call.result", "a@b.cd")
	one.Attributes().PutEmptySlice(semconv.ContentMentions)
	if p.Span(one); names(one.Attributes(), semconv.ContentMentions) == nil || len(names(one.Attributes(), semconv.ContentMentions)) != 0 {
		t.Error("what the sender says does not stand")
	}
}

func TestAttributesWithOtherFactsKeepTheirShape(t *testing.T) {
	for rule, want := range map[string]bool{`{"column": "model", "source": "x"}`: false, `{"column": "model", "source": "x", "json": "$.model"}`: true} {
		own, err := semconv.Parse([]byte(`{"dialects": [{"rules": [{"column": "result", "source": "x"}, ` + rule + `]}],
			"content": {"keys": ["y"], "log_events": ["z"], "shape": ["model"]}}`))
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(Config{FingerprintKey: testKey}, own)
		if err != nil {
			t.Fatal(err)
		}
		if got := masked(p, "x", `{"model": "m"}`); (got == `{"model": "m"}`) != want {
			t.Errorf("%s: %s", rule, got)
		}
	}
}

func TestBodiesOfLogRecords(t *testing.T) {
	p := policy(t, Config{FingerprintKey: testKey})
	for event, isContent := range map[string]bool{"": true, "gen_ai.user.message": true, "codex.tool_result": true, "actorscope.wait": false} {
		record := plog.NewLogRecord()
		record.SetEventName(event)
		record.Body().SetStr("Ada said")
		p.Log(record)
		if got := record.Body().Str(); (got == "Ada said") == isContent {
			t.Errorf("%s: %s", event, got)
		}
		if dropped := p.DropContentLog(record); (dropped == 1) != isContent || (record.Body().Type() == pcommon.ValueTypeEmpty) != isContent {
			t.Errorf("%s: %d", event, dropped)
		}
	}
}

func TestNamesOfEventsAreThoseThatAreWritten(t *testing.T) {
	for _, c := range []struct {
		config Config
		event  string
		isKept bool
	}{
		{Config{}, "actorscope.wait", true},
		{Config{}, "gen_ai.user.message", false},
		{Config{RedactKeys: []string{"event.name"}}, "gen_ai.user.message", true}, // as in the ingester: it is another name now
		{Config{MaxAttributes: 1}, "actorscope.wait", false},                      // it is dropped, and a record without a name has content
	} {
		c.config.FingerprintKey = testKey
		record := plog.NewLogRecord()
		record.Attributes().PutStr("a", "b")
		record.Attributes().PutStr("event.name", c.event)
		record.Body().SetStr("Ada said")
		if policy(t, c.config).Log(record); (record.Body().Str() == "Ada said") != c.isKept {
			t.Errorf("%v: %s", c, record.Body().Str())
		}
	}
}

func TestContentIsDropped(t *testing.T) {
	p := policy(t, Config{FingerprintKey: testKey})
	one := span(t, map[string]any{
		"gen_ai.tool.call.arguments": "x", "gen_ai.tool.call.result": "x", "actorscope.request": "x", "actorscope.decision.call_list": "x",
		"actorscope.edge.original.input.value": "x", "genkit:output": "x", "actorscope.action.input.digest": "kept", "gen_ai.tool.name": "kept",
		semconv.ActionTargets: []any{"kept"},
	})
	one.Events().AppendEmpty().Attributes().PutStr("gen_ai.event.content", "x")
	one.Links().AppendEmpty().Attributes().PutStr("gen_ai.prompt", "x")
	if n := p.DropContent(one); n != 8 || one.Attributes().Len() != 3 || one.Events().At(0).Attributes().Len()+one.Links().At(0).Attributes().Len() != 0 {
		t.Error(n, one.Attributes().AsRaw())
	}
}

func TestHostileTextIsNoTrouble(t *testing.T) {
	p := policy(t, Config{MaxAttributes: 20, MaxValueBytes: 50, FingerprintKey: testKey, RedactKeys: []string{"\xff*"},
		RedactPresets: []string{"secrets", "emails", "cards"}})
	for _, text := range []string{"\xff", "[\"\xff\"]", "\xed\xa0\x80", "é\xff@b.c", strings.Repeat("\xc3", 100), `{"` + "\xff" + `": 1}`} {
		one := span(t, map[string]any{"gen_ai.prompt": text, "gen_ai.tool.call.arguments": text, "gen_ai.tool.call.result": text, text: text})
		p.Span(one)
	}
}

func TestManyMayUseOnePolicy(t *testing.T) {
	p := policy(t, Config{FingerprintKey: testKey, RedactPresets: []string{"emails"}, RedactKeys: []string{"*x*"}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				p.Span(span(t, map[string]any{"gen_ai.prompt": "a@b.cd", fmt.Sprint("x", i): "é a@b.cd", "gen_ai.tool.call.arguments": `{"to": "bob"}`}))
			}
		})
	}
	all.Wait()
}
