package actorscopeconnector

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/actorscope/actorscope/collector/normalise"
)

// Words of the convention that attributes of counts may hold, in the order of their slots.
var (
	effects    = []string{"none", "read", "write", "destructive", "unknown"}
	faults     = []string{"missing", "rejected", "expired", "cancelled", "own", "ended"}
	modes      = []string{"", "return_to_caller", "pass_control", "detached", other}
	operations = []string{
		"", "chat", "embeddings", "retrieval", "fetch_response", "create_agent", "invoke_agent", "execute_tool", "invoke_workflow", "plan",
		"search_memory", "create_memory", "update_memory", "upsert_memory", "delete_memory", "handoff", "guardrail", "step", "evaluate",
		"decide", "await_approval", "turn", "message", "authorize", other,
	}
)

const (
	other   = "other"
	deepest = 64
	longest = 128
	skew    = time.Minute // how far two clocks may be apart, as for the detector authority_unapproved
)

type place struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

// seen is one span of a batch and what it adds.
type seen struct {
	at, above place
	actor     actor
	counts    []count
	cost      float64
	currency  string
}

type count struct {
	slot  int
	count int64
}

// batch is what one batch of spans adds. The name of an agent may stand on another span of it.
type batch struct {
	read  *normalise.Facts
	spans []seen
}

func (b *batch) reset() {
	clear(b.spans)
	b.spans = b.spans[:0]
}

// add takes a span in; without facts it only leads to those above.
func (b *batch) add(service string, f facts, span ptrace.Span) {
	s := seen{
		at:    place{span.TraceID(), span.SpanID()},
		above: place{span.TraceID(), span.ParentSpanID()},
		actor: actor{service: cut(service)},
	}
	if f != nil {
		name, _ := f.Text("agent_name")
		s.actor.agent = cut(name)
		if state, _ := f.Text("state"); state != "started" {
			s.count(f, span, state)
		}
	}
	b.spans = append(b.spans, s)
}

func (s *seen) add(slot int, n int64) {
	if n > 0 {
		s.counts = append(s.counts, count{slot, n})
	}
}

func (s *seen) count(f facts, span ptrace.Span, state string) {
	operation, _ := f.Text("operation")
	errorType, hasError := f.Text("error_type")
	failed := (span.Status().Code() == ptrace.StatusCodeError || hasError && errorType != "") && state != "control"
	if failed {
		s.add(errorsAt+index(operations, operation), 1)
	}
	if outcome, _ := f.Text("authz_outcome"); outcome == "deny" {
		mode, _ := f.Text("authz_mode")
		s.add(deniedAt+isTrue(mode == "monitor"), 1)
	}
	_, toName := f.Text("delegate_name")
	_, toID := f.Text("delegate_id")
	switch operation {
	case "invoke_agent":
		s.add(runsAt, 1)
	case "chat", "embeddings":
		s.tokens(f)
	case "execute_tool":
		if replayed, _ := f.Bool("replayed"); !failed && !replayed && state != "waiting" && state != "control" {
			s.action(f, span)
		}
	}
	if operation == "handoff" || (toName || toID) && operation != "invoke_agent" && operation != "message" {
		mode, _ := f.Text("delegation_mode")
		s.add(delegationsAt+index(modes, mode), 1)
	}
	s.money(f, operation)
}

// tokens that no other kind holds: what was read from a cache is part of the input, reasoning of the output.
func (s *seen) tokens(f facts) {
	input, _ := f.Int("input_tokens")
	output, _ := f.Int("output_tokens")
	cached, _ := f.Int("cached_tokens")
	reasoning, _ := f.Int("reasoning_tokens")
	for kind, n := range [...]int64{input - min(max(cached, 0), max(input, 0)), cached, output - min(max(reasoning, 0), max(output, 0)), reasoning} {
		s.add(tokensAt+kind, n)
	}
}

// money is what a span states for itself: model calls and actions unless they say that it is a sum, others only if they say that it is not.
func (s *seen) money(f facts, operation string) {
	amount, ok := f.Double("cost_amount")
	basis, _ := f.Text("cost_basis")
	isOwn := basis == "self" || basis == "" && (operation == "chat" || operation == "embeddings" || operation == "execute_tool")
	if ok && isOwn && amount > 0 && amount < 1e12 {
		currency, _ := f.Text("cost_currency")
		s.cost, s.currency = amount, money(currency)
	}
}

func (s *seen) action(f facts, span ptrace.Span) {
	word, _ := f.Text("side_effect")
	effect := slices.Index(effects, word)
	if effect < 0 {
		effect = len(effects) - 1
	}
	s.add(actionsAt+effect, 1)
	if fault := slices.Index(faults, fault(f, span)); fault >= 0 {
		s.add(unapprovedAt+effect*len(faults)+fault, 1)
	}
}

// fault is why the approval that a span states, or does not state, does not cover it; empty where nothing speaks against it.
func fault(f facts, span ptrace.Span) string {
	status, _ := f.Text("approval_status")
	id, _ := f.Text("approval_id")
	outcome, _ := f.Text("authz_outcome")
	if outcome == "require_approval" && id == "" && status == "" {
		return "missing"
	}
	if status == "rejected" || status == "expired" || status == "cancelled" {
		return status
	}
	if approver, _ := f.Text("approver_id"); approver != "" {
		kind, _ := f.Text("approver_type")
		name, _ := f.Text("agent_name")
		for _, column := range [...]string{"principal_id", "agent_id", "agent_instance_id"} {
			if own, _ := f.Text(column); own == approver {
				return "own"
			}
		}
		if kind == "agent" && name == approver {
			return "own"
		}
	}
	if ends, _ := f.Text("approval_expires_at"); ends != "" {
		if end, err := time.Parse(time.RFC3339Nano, ends); err == nil && span.StartTimestamp().AsTime().After(end.Add(skew)) {
			return "ended"
		}
	}
	return ""
}

// name gives spans without an agent the name of the nearest span above that has one.
func (b *batch) name() {
	var places map[place]int
	for i := range b.spans {
		s := &b.spans[i]
		if s.actor.agent != "" || len(s.counts) == 0 && s.cost == 0 {
			continue
		}
		if places == nil {
			places = make(map[place]int, len(b.spans))
			for j := range b.spans {
				places[b.spans[j].at] = j
			}
		}
		above, ok := places[s.above]
		for depth := 0; ok && depth < deepest && s.actor.agent == ""; depth++ {
			s.actor.agent = b.spans[above].actor.agent
			above, ok = places[b.spans[above].above]
		}
	}
}

func index(words []string, word string) int {
	if found := slices.Index(words, word); found >= 0 {
		return found
	}
	return len(words) - 1
}

func isTrue(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// cut bounds a name.
func cut(name string) string {
	if len(name) > longest {
		return strings.Clone(strings.ToValidUTF8(name[:longest], ""))
	}
	return name
}

// money is a currency in the form of ISO 4217.
func money(word string) string {
	word = strings.ToUpper(word)
	if word == "" {
		return "USD"
	}
	if len(word) != 3 || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return other
	}
	return word
}
