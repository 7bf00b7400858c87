package privacy

import (
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

// ordered numbers texts in order of appearance.
type ordered struct {
	names []string
	most  []int
	at    map[string]int
}

func (o *ordered) add(name string, number int) {
	if i, is := o.at[name]; is {
		o.most[i] = max(o.most[i], number)
		return
	}
	if o.at == nil {
		o.at = map[string]int{}
	}
	o.at[name] = len(o.names)
	o.names, o.most = append(o.names, name), append(o.most, number)
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
			p.targets.add(name, 0)
		}
	}
	if info.isSaid {
		found := mentions(text)
		if len(found) == 0 {
			return
		}
		low := pytext.Lower(text)
		for _, mention := range found {
			p.mentions.add(mention.kind+":"+p.mask.fingerprint(mention.name), instructing(low, mention.name))
		}
	}
}

// write adds what was read as attributes, unless the sender already did.
func (p *prints) write(attributes pcommon.Map) {
	names := p.targets.names
	if len(names) > 0 && !has(attributes, semconv.ActionTargets) {
		putNames(attributes, semconv.ActionTargets, names[:min(len(names), mostPrints)])
	}
	if names = p.mentions.names; len(names) > 0 && !has(attributes, semconv.ContentMentions) {
		names = names[:min(len(names), mostPrints)]
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
