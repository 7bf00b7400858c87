package privacy

import (
	"math"
	"slices"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/actorscope/actorscope/collector/semconv"
)

const (
	// bodyKey stands for the body of a log record among the keys of what was cut.
	bodyKey      = "body"
	eventNameKey = "event.name"
	// mostNamed is how many keys of what was cut are named.
	mostNamed = 20
)

// holding is whatever has attributes and counts those that were dropped.
type holding interface {
	Attributes() pcommon.Map
	DroppedAttributesCount() uint32
	SetDroppedAttributesCount(uint32)
}

// work is one record being changed.
type work struct {
	policy  *Policy
	changes Changes
	prints  *prints
	// The keys of what was cut: attributes that were dropped and bytes come before texts, which the ingester cleans later.
	cut, cutTexts []string
}

func (w *work) print(mask *mask) {
	if mask != nil {
		w.prints = &prints{mask: mask}
	}
}

// holder changes the attributes of something.
func holder[H holding](w *work, held H) {
	p, attributes := w.policy, held.Attributes()
	if over := attributes.Len() - p.attributes; over > 0 {
		at := 0
		attributes.RemoveIf(func(key string, _ pcommon.Value) bool {
			at++
			if at > p.attributes && at <= p.attributes+mostNamed {
				w.cut = append(w.cut, key)
			}
			return at > p.attributes
		})
		held.SetDroppedAttributesCount(uint32(min(int64(held.DroppedAttributesCount())+int64(over), math.MaxUint32)))
		w.changes.AttributesDropped += over
	}
	for key, value := range attributes.All() {
		if !p.knowsKeys || !w.known(key, value) {
			w.value(key, value)
		}
	}
}

// known does to a value what its key demands; true where nothing is left to do.
func (w *work) known(key string, value pcommon.Value) bool {
	p := w.policy
	info := p.keys.get(key)
	if info.isHidden {
		value.SetStr(Redacted)
		w.changes.ValuesRedacted++
		return true
	}
	if p.mask != nil && info.isContent {
		if w.prints != nil {
			w.prints.read(info, value)
		}
		w.masked(key, info, value)
	}
	return false
}

// masked masks a value; structured values become JSON text, as they are kept as such anyway.
func (w *work) masked(key string, info *known, value pcommon.Value) {
	mask := w.policy.mask
	kind := value.Type()
	var old, made string
	switch kind {
	case pcommon.ValueTypeEmpty, pcommon.ValueTypeBool:
		return
	case pcommon.ValueTypeBytes:
		value.SetStr(mask.fingerprint(textOf(value)))
		w.changes.ContentsMasked++
		return
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
		old = textOf(value)
		made = mask.number(info, old)
	default:
		old = textOf(value)
		made = mask.text(info, old)
	}
	if made != old || kind == pcommon.ValueTypeMap || kind == pcommon.ValueTypeSlice {
		value.SetStr(made)
	}
	if made != old {
		w.changes.ContentsMasked++
	}
}

// value cleans the texts inside a value and cuts what is too long.
func (w *work) value(key string, value pcommon.Value) {
	longest := w.policy.valueBytes
	switch value.Type() {
	case pcommon.ValueTypeStr:
		old := value.Str()
		text := w.clean(old)
		if key != "" && len(text) > longest {
			text = cutText(text, longest)
			w.changes.AttributesCut++
			w.cutTexts = append(w.cutTexts, key)
		}
		if text != old {
			value.SetStr(text)
		}
	case pcommon.ValueTypeBytes:
		if bytes := value.Bytes(); bytes.Len() > longest {
			bytes.FromRaw(bytes.AsRaw()[:longest])
			w.changes.AttributesCut++
			w.cut = append(w.cut, key)
		}
	case pcommon.ValueTypeSlice:
		for _, item := range value.Slice().All() {
			w.value(key, item)
		}
	case pcommon.ValueTypeMap:
		for _, inner := range value.Map().All() {
			w.value(key, inner)
		}
	}
}

func (w *work) clean(text string) string {
	made := w.policy.redactor.clean(text)
	if made != text {
		w.changes.ValuesRedacted++
	}
	return made
}

// finish writes the prints of one holder and the keys of what was cut of it.
func (w *work) finish(attributes pcommon.Map) {
	if w.prints != nil {
		w.prints.write(attributes)
		w.prints = nil
	}
	if len(w.cut)+len(w.cutTexts) == 0 {
		return
	}
	var names []string
	for _, key := range append(w.cut, w.cutTexts...) {
		if len(names) < mostNamed && !slices.Contains(names, key) {
			names = append(names, key)
		}
	}
	attributes.RemoveIf(func(key string, _ pcommon.Value) bool { return key == semconv.IntakeCutKeys }) // it may stand there twice
	putNames(attributes, semconv.IntakeCutKeys, names)
	w.cut, w.cutTexts = nil, nil
}

func putNames(attributes pcommon.Map, key string, names []string) {
	items := attributes.PutEmptySlice(key)
	items.EnsureCapacity(len(names))
	for _, name := range names {
		items.AppendEmpty().SetStr(name)
	}
}

// cutText is the beginning of a text, without a part of a character at its end.
func cutText(text string, longest int) string {
	text = text[:longest]
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if at := len(text) - n; utf8.RuneStart(text[at]) {
			if !utf8.FullRuneInString(text[at:]) {
				return text[:at]
			}
			break
		}
	}
	return text
}
