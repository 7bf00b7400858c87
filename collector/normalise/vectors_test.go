package normalise

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.yaml.in/yaml/v3"

	"github.com/actorscope/actorscope/collector/semconv"
)

type vector struct {
	What   string               `yaml:"what"`
	Span   *record              `yaml:"span"`
	Log    *record              `yaml:"log"`
	Expect map[string]yaml.Node `yaml:"expect"`
	Gap    map[string]string    `yaml:"gap"`
}

type record struct {
	Scope      string    `yaml:"scope"`
	Resource   yaml.Node `yaml:"resource"`
	Name       string    `yaml:"name"`
	Kind       string    `yaml:"kind"`
	Status     string    `yaml:"status"`
	Event      string    `yaml:"event"`
	Body       yaml.Node `yaml:"body"`
	Attributes yaml.Node `yaml:"attributes"`
	Events     []struct {
		Name       string    `yaml:"name"`
		Attributes yaml.Node `yaml:"attributes"`
	} `yaml:"events"`
}

func shipped(t testing.TB) *Normaliser {
	t.Helper()
	rules, err := semconv.Load()
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fillMap puts a YAML object into attributes, in its order.
func fillMap(to pcommon.Map, from *yaml.Node) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		fillValue(to.PutEmpty(from.Content[i].Value), from.Content[i+1])
	}
}

func fillValue(to pcommon.Value, from *yaml.Node) {
	switch {
	case from.Kind == yaml.MappingNode:
		fillMap(to.SetEmptyMap(), from)
	case from.Kind == yaml.SequenceNode:
		items := to.SetEmptySlice()
		for _, item := range from.Content {
			fillValue(items.AppendEmpty(), item)
		}
	case from.Kind == yaml.AliasNode:
		fillValue(to, from.Alias)
	case from.Tag == "!!int":
		number, _ := strconv.ParseInt(from.Value, 0, 64)
		to.SetInt(number)
	case from.Tag == "!!float":
		var number float64
		_ = from.Decode(&number)
		to.SetDouble(number)
	case from.Tag == "!!bool":
		to.SetBool(from.Value == "true")
	case from.Tag != "!!null" && from.Kind != 0:
		to.SetStr(from.Value)
	}
}

func (v *vector) span(into ptrace.ResourceSpans) {
	fillMap(into.Resource().Attributes(), &v.Span.Resource)
	scope := into.ScopeSpans().AppendEmpty()
	scope.Scope().SetName(v.Span.Scope)
	span := scope.Spans().AppendEmpty()
	span.SetName(v.Span.Name)
	for kind, name := range kinds {
		if name == orElse(v.Span.Kind, "internal") {
			span.SetKind(kind)
		}
	}
	for status, name := range statuses {
		if name == v.Span.Status {
			span.Status().SetCode(status)
		}
	}
	fillMap(span.Attributes(), &v.Span.Attributes)
	for _, one := range v.Span.Events {
		event := span.Events().AppendEmpty()
		event.SetName(one.Name)
		fillMap(event.Attributes(), &one.Attributes)
	}
}

func (v *vector) log(into plog.ResourceLogs) {
	fillMap(into.Resource().Attributes(), &v.Log.Resource)
	scope := into.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(v.Log.Scope)
	record := scope.LogRecords().AppendEmpty()
	record.SetEventName(v.Log.Event)
	fillValue(record.Body(), &v.Log.Body)
	fillMap(record.Attributes(), &v.Log.Attributes)
}

// find is the facts of a vector; the second result says whether it speaks a dialect.
func (v *vector) find(n *Normaliser, f *Facts) bool {
	if v.Log != nil {
		logs := plog.NewResourceLogs()
		v.log(logs)
		scope := logs.ScopeLogs().At(0)
		return n.Log(logs.Resource().Attributes(), scope.Scope(), scope.LogRecords().At(0), f)
	}
	spans := ptrace.NewResourceSpans()
	v.span(spans)
	scope := spans.ScopeSpans().At(0)
	return n.Span(spans.Resource().Attributes(), scope.Scope(), scope.Spans().At(0), f)
}

func vectorFiles(t testing.TB) map[string][]vector {
	t.Helper()
	paths, err := filepath.Glob("../../tests/vectors/*.yaml")
	if err != nil || len(paths) < 30 {
		t.Fatal(err, paths)
	}
	files := map[string][]vector{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var found []vector
		if err := yaml.Unmarshal(text, &found); err != nil {
			t.Fatal(path, err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".yaml")] = found
	}
	return files
}

// came is a column as a text that can be compared, empty where it is empty.
func (f *Facts) came(name string) string {
	switch name {
	case "dialect":
		return f.Dialect()
	case "operation_basis":
		return f.Basis("operation")
	case "agent_basis":
		return f.Basis("agent_name")
	case "side_effect_basis":
		return f.Basis("side_effect")
	}
	if text, is := f.Text(name); is {
		return text
	}
	if number, is := f.Int(name); is {
		return strconv.FormatInt(number, 10)
	}
	if number, is := f.Double(name); is {
		return fmt.Sprint(number)
	}
	if truth, is := f.Bool(name); is {
		return strconv.FormatBool(truth)
	}
	names, _ := f.Names(name)
	return strings.Join(names, "\x00")
}

func isExpected(expected yaml.Node, came string) bool {
	switch {
	case expected.Tag == "!!null":
		return came == ""
	case expected.Kind == yaml.SequenceNode:
		var names []string
		_ = expected.Decode(&names)
		return came == strings.Join(names, "\x00")
	case expected.Tag == "!!float":
		var number float64
		_ = expected.Decode(&number)
		found, err := strconv.ParseFloat(came, 64)
		return err == nil && math.Abs(found-number) <= 1e-6*math.Abs(number)
	}
	return came == expected.Value
}

func (v *vector) check(t *testing.T, f *Facts) {
	t.Helper()
	for column, expected := range v.Expect {
		came := f.came(column)
		_, isGap := v.Gap[column]
		if isExpected(expected, came) == isGap {
			t.Errorf("%s: %s is %q, expected %s (a known gap: %v)", v.What, column, came, expected.Value, isGap)
		}
	}
}

func TestWhatIsSentGivesTheExpectedColumns(t *testing.T) {
	n := shipped(t)
	for name, found := range vectorFiles(t) {
		t.Run(name, func(t *testing.T) {
			for _, v := range found {
				f := n.NewFacts()
				v.find(n, f)
				v.check(t, f)
			}
		})
	}
}

func TestRecordsBeforeChangeNothing(t *testing.T) {
	n := shipped(t)
	f := n.NewFacts()
	var all []vector
	for _, found := range vectorFiles(t) {
		all = append(all, found...)
	}
	for range 2 {
		for _, v := range all {
			v.find(n, f)
			v.check(t, f)
		}
		slices.Reverse(all)
	}
}
