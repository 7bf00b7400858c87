package privacy

import (
	"encoding/base64"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/actorscope/actorscope/collector/privacy/internal/pyjson"
)

// textOf is the text under which a value is kept.
func textOf(value pcommon.Value) string {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return value.Str()
	case pcommon.ValueTypeBool:
		return strconv.FormatBool(value.Bool())
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(value.Int(), 10)
	case pcommon.ValueTypeDouble:
		return pyjson.Repr(value.Double())
	case pcommon.ValueTypeBytes:
		return base64.StdEncoding.EncodeToString(value.Bytes().AsRaw())
	case pcommon.ValueTypeEmpty:
		return ""
	}
	made := plain(value)
	return string(pyjson.Append(nil, &made, pyjson.Form{Compact: true}))
}

// plain is a value as JSON.
func plain(value pcommon.Value) (made pyjson.Value) {
	switch value.Type() {
	case pcommon.ValueTypeMap:
		object := pyjson.Build(&made)
		for key, inner := range value.Map().All() {
			object.Set(key, plain(inner))
		}
	case pcommon.ValueTypeSlice:
		made.Kind = pyjson.List
		for _, item := range value.Slice().All() {
			made.Items = append(made.Items, plain(item))
		}
	case pcommon.ValueTypeBool:
		made.Kind, made.Bool = pyjson.Bool, value.Bool()
	case pcommon.ValueTypeDouble:
		made.Kind, made.Number = pyjson.Float, value.Double()
	case pcommon.ValueTypeInt:
		made.Kind, made.Text = pyjson.Int, textOf(value)
	case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
		made.Kind, made.Text = pyjson.String, textOf(value)
	}
	return made
}
