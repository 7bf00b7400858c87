package privacy

import (
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/actorscope/actorscope/collector/privacy/internal/pytext"
	"github.com/actorscope/actorscope/collector/semconv"
)

// mostPrints is how many targets, and how many mentions, are written on one record.
const mostPrints = 64

// prints gathers the fingerprints of what the content of one record names, each once, in order of appearance.
type prints struct {
	mask     *mask
	targets  ordered
	mentions ordered
}

// ordered numbers the first texts that come, in order of appearance.
type ordered struct {
	names []string
	most  []int
}

// place is where a text stands; -1 where there is no more room.
func (o *ordered) place(name string) int {
	i := slices.Index(o.names, name)
	if i < 0 && len(o.names) < mostPrints {
		i = len(o.names)
		o.names, o.most = append(o.names, name), append(o.most, 0)
	}
	return i
}

// read takes in a content attribute as it came.
func (p *prints) read(info *known, value pcommon.Value) {
	if !info.isArguments && !info.isSaid {
		return
	}
	text := textOf(value)
	if info.isArguments {
		for _, found := range targets(text) {
			name := found.kind + ":" + p.mask.fingerprint(found.name)
			if found.isLink {
				name += ":link"
			}
			p.targets.place(name)
		}
	}
	if info.isSaid {
		found := mentions(text)
		if len(found) == 0 {
			return
		}
		low := pytext.Lower(text)
		seen := map[mention]bool{}
		for _, one := range found {
			if seen[one] {
				continue
			}
			seen[one] = true
			if i := p.mentions.place(one.kind + ":" + p.mask.fingerprint(one.name)); i >= 0 {
				p.mentions.most[i] = max(p.mentions.most[i], instructing(low, one.name))
			}
		}
	}
}

// write adds what was read as attributes, unless the sender already did.
func (p *prints) write(attributes pcommon.Map) {
	names := p.targets.names
	if len(names) > 0 && !has(attributes, semconv.ActionTargets) {
		putNames(attributes, semconv.ActionTargets, names)
	}
	if names = p.mentions.names; len(names) > 0 && !has(attributes, semconv.ContentMentions) {
		for i := range names {
			names[i] += ":" + strconv.Itoa(p.mentions.most[i])
		}
		putNames(attributes, semconv.ContentMentions, names)
	}
}

func has(attributes pcommon.Map, key string) bool {
	_, is := attributes.Get(key)
	return is
}
