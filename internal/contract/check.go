package contract

import (
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// check is a condition on the values of a column.
type check struct {
	name string
	bad  func(parquet.Value) bool
}

// checks returns what a rule asks of values of the type. An [*Error] says that the rule cannot judge it.
func (r *rule) checks(t parquetedit.Type) ([]check, error) {
	var list []check
	if r.notNull {
		list = append(list, check{"not_null", func(v parquet.Value) bool { return v.IsNull() && !dms.IsUntold(v) }})
	}
	add := func(name string, bad func(parquet.Value) bool) {
		list = append(list, check{name, func(v parquet.Value) bool { return !v.IsNull() && bad(v) }})
	}
	if r.min != nil {
		compare, ok := r.min.order(t, up)
		if !ok {
			return nil, r.misfit("min", *r.min, t)
		}
		add("min", func(v parquet.Value) bool { return isNaN(v) || compare(v) < 0 })
	}
	if r.max != nil {
		compare, ok := r.max.order(t, down)
		if !ok {
			return nil, r.misfit("max", *r.max, t)
		}
		add("max", func(v parquet.Value) bool { return isNaN(v) || compare(v) > 0 })
	}
	if r.in != nil {
		among, err := r.among(t)
		if err != nil {
			return nil, err
		}
		add("in", func(v parquet.Value) bool { return !among(v) })
	}
	if r.pattern == nil && r.minLength == nil && r.maxLength == nil {
		return list, nil
	}
	if kindOf(t) != text {
		return nil, errorf(r.line, "pattern, min_length and max_length are of text; column %q is %s", r.column, lake.TypeName(t))
	}
	if r.minLength != nil {
		add("min_length", func(v parquet.Value) bool { return utf8.RuneCount(v.ByteArray()) < *r.minLength })
	}
	if r.maxLength != nil {
		add("max_length", func(v parquet.Value) bool { return utf8.RuneCount(v.ByteArray()) > *r.maxLength })
	}
	if r.pattern != nil {
		add("pattern", func(v parquet.Value) bool { return !r.pattern.Match(v.ByteArray()) })
	}
	return list, nil
}

func (r *rule) misfit(name string, v literal, t parquetedit.Type) error {
	switch kindOf(t) {
	case number, float, date, clock, timestamp:
		return errorf(v.line, "%s of column %q: %q is no value of %s", name, r.column, v.text, lake.TypeName(t))
	case other, boolean, text, uuid:
	}
	return errorf(v.line, "%s is of numbers, dates and times; column %q is %s", name, r.column, lake.TypeName(t))
}

// among returns whether a value is one of the allowed ones.
func (r *rule) among(t parquetedit.Type) (func(parquet.Value) bool, error) {
	switch kindOf(t) {
	case text:
		allowed := map[string]bool{}
		for _, v := range r.in {
			allowed[v.text] = true
		}
		return func(v parquet.Value) bool { return allowed[string(v.ByteArray())] }, nil
	case boolean:
		allowed := map[bool]bool{}
		for _, v := range r.in {
			if v.text != "true" && v.text != "false" {
				return nil, errorf(v.line, "in of column %q: %q is no value of boolean", r.column, v.text)
			}
			allowed[v.text == "true"] = true
		}
		return func(v parquet.Value) bool { return allowed[v.Boolean()] }, nil
	case uuid:
		return r.amongUUIDs(t)
	case other:
		return nil, errorf(r.line, "column %q is %s, of which no values can be listed", r.column, lake.TypeName(t))
	case number, float, date, clock, timestamp:
	}
	keys := map[int64]bool{}
	var orders []func(parquet.Value) int
	for _, v := range r.in {
		x, small := v.ticks(t, exact)
		if small = small && (t.Physical == parquet.Int32 || t.Physical == parquet.Int64); small && intKey(t, x).IsInt64() {
			keys[intKey(t, x).Int64()] = true
			continue
		}
		compare, ok := v.order(t, exact)
		if !ok || small {
			return nil, errorf(v.line, "in of column %q: %q is no value of %s", r.column, v.text, lake.TypeName(t))
		}
		orders = append(orders, compare)
	}
	return func(v parquet.Value) bool {
		if key, ok := lake.IntKey(t, v); ok {
			return keys[key]
		}
		for _, compare := range orders {
			if compare(v) == 0 && !isNaN(v) {
				return true
			}
		}
		return false
	}, nil
}

func (r *rule) amongUUIDs(t parquetedit.Type) (func(parquet.Value) bool, error) {
	convert, err := lake.Converter(parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}, t)
	if err != nil {
		return nil, errorf(r.line, "column %q: %v", r.column, err)
	}
	allowed := map[string]bool{}
	for _, v := range r.in {
		one, err := convert(parquet.ByteArrayValue([]byte(v.text)))
		if err != nil {
			return nil, errorf(v.line, "in of column %q: %q is no value of uuid", r.column, v.text)
		}
		allowed[string(one.ByteArray())] = true
	}
	return func(v parquet.Value) bool { return allowed[string(v.ByteArray())] }, nil
}
