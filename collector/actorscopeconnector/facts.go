package actorscopeconnector

import "go.opentelemetry.io/collector/pdata/pcommon"

// facts are the columns of one span; normalise.Facts, or canonical attributes that the processor wrote.
type facts interface {
	Text(column string) (string, bool)
	Int(column string) (int64, bool)
	Double(column string) (float64, bool)
	Bool(column string) (bool, bool)
}

// canonical reads columns of a record that was normalised before.
type canonical struct {
	attributes pcommon.Map
	columns    map[string]string
}

func (c canonical) get(column string, kind pcommon.ValueType) (pcommon.Value, bool) {
	value, ok := c.attributes.Get(c.columns[column])
	return value, ok && value.Type() == kind
}

func (c canonical) Text(column string) (string, bool) {
	if value, ok := c.get(column, pcommon.ValueTypeStr); ok {
		return value.Str(), true
	}
	return "", false
}

func (c canonical) Int(column string) (int64, bool) {
	if value, ok := c.get(column, pcommon.ValueTypeInt); ok {
		return value.Int(), true
	}
	return 0, false
}

func (c canonical) Double(column string) (float64, bool) {
	if value, ok := c.get(column, pcommon.ValueTypeDouble); ok {
		return value.Double(), true
	}
	return 0, false
}

func (c canonical) Bool(column string) (bool, bool) {
	if value, ok := c.get(column, pcommon.ValueTypeBool); ok {
		return value.Bool(), true
	}
	return false, false
}

func text(attributes pcommon.Map, key string) string {
	if value, ok := attributes.Get(key); ok && value.Type() == pcommon.ValueTypeStr {
		return value.Str()
	}
	return ""
}
