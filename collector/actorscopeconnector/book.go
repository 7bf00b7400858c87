package actorscopeconnector

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/actorscope/actorscope/collector/actorscopeconnector/internal/metadata"
)

// Slots of an actor's counts.
const (
	effectCount = 5
	faultCount  = 6

	actionsAt     = 0
	deniedAt      = actionsAt + effectCount
	unapprovedAt  = deniedAt + 2
	tokensAt      = unapprovedAt + effectCount*faultCount
	runsAt        = tokensAt + 4
	delegationsAt = runsAt + 1
	errorsAt      = delegationsAt + 5
	slots         = errorsAt + 25
)

// mostCurrencies is how many are told apart; what comes after them is counted as `other`.
const mostCurrencies = 16

type actor struct{ service, agent string }

// page holds what one actor did.
type page struct {
	counts [slots]int64
	costs  map[string]float64
}

// book holds what all actors did since the start. Its size is bounded: by the number of actors, words and currencies.
type book struct {
	most       int
	pages      map[actor]*page
	currencies map[string]string
	overflow   int64
}

func newBook(most int) *book {
	return &book{most: most, pages: map[actor]*page{}, currencies: map[string]string{}}
}

// post adds what a batch counted.
func (b *book) post(batch *batch) {
	for i := range batch.spans {
		s := &batch.spans[i]
		if len(s.counts) == 0 && s.cost == 0 {
			continue
		}
		p := b.page(s.actor)
		for _, c := range s.counts {
			p.counts[c.slot] += c.count
		}
		if s.cost > 0 {
			p.costs[b.currency(s.currency)] += s.cost
		}
	}
}

func (b *book) page(who actor) *page {
	p, ok := b.pages[who]
	if !ok && len(b.pages) >= b.most {
		b.overflow++
		who = actor{other, other}
		p, ok = b.pages[who]
	}
	if !ok {
		p = &page{costs: map[string]float64{}}
		b.pages[actor{strings.Clone(who.service), strings.Clone(who.agent)}] = p
	}
	return p
}

func (b *book) currency(word string) string {
	known, ok := b.currencies[word]
	if !ok {
		if len(b.currencies) >= mostCurrencies {
			return other
		}
		known = strings.Clone(word)
		b.currencies[known] = known
	}
	return known
}

// write records all counts, actors in the order of their names.
func (b *book) write(to *metadata.MetricsBuilder, now pcommon.Timestamp) {
	to.RecordActorscopeConnectorOverflowDataPoint(now, b.overflow)
	order := slices.SortedFunc(maps.Keys(b.pages), func(x, y actor) int {
		return cmp.Or(cmp.Compare(x.service, y.service), cmp.Compare(x.agent, y.agent))
	})
	for _, who := range order {
		b.pages[who].write(to, now, who)
	}
}

func (p *page) write(to *metadata.MetricsBuilder, now pcommon.Timestamp, who actor) {
	service, agent := who.service, who.agent
	for slot, n := range p.counts {
		if n == 0 {
			continue
		}
		switch {
		case slot < deniedAt:
			to.RecordActorscopeActionsDataPoint(now, n, service, agent, effectOf(slot))
		case slot < unapprovedAt:
			to.RecordActorscopeActionsDeniedDataPoint(now, n, service, agent, metadata.AttributeActorscopeAuthzMode(slot-deniedAt+1))
		case slot < tokensAt:
			at := slot - unapprovedAt
			fault := metadata.AttributeActorscopeApprovalFault(at%faultCount + 1)
			to.RecordActorscopeActionsUnapprovedDataPoint(now, n, service, agent, effectOf(at/faultCount), fault)
		case slot < runsAt:
			to.RecordActorscopeTokensDataPoint(now, n, service, agent, metadata.AttributeActorscopeTokenKind(slot-tokensAt+1))
		case slot < delegationsAt:
			to.RecordActorscopeRunsDataPoint(now, n, service, agent)
		case slot < errorsAt:
			to.RecordActorscopeDelegationsDataPoint(now, n, service, agent, modes[slot-delegationsAt])
		default:
			to.RecordActorscopeErrorsDataPoint(now, n, service, agent, operations[slot-errorsAt])
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(p.costs)) {
		to.RecordActorscopeCostDataPoint(now, p.costs[currency], service, agent, currency)
	}
}

func effectOf(slot int) metadata.AttributeActorscopeActionSideEffect {
	return metadata.AttributeActorscopeActionSideEffect(slot + 1)
}
