package lake_test

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// Every run of values is in ascending order of keys.
func TestAppendKey_order(t *testing.T) {
	dec38 := decimalIn(parquet.FixedLenByteArray, 16, 38, 2)
	big38 := func(s string) parquet.Value {
		x, _ := new(big.Int).SetString(s, 10)
		return unscaled(dec38, x)
	}
	null := parquet.NullValue()
	for name, c := range map[string]struct {
		typ    parquetedit.Type
		values []parquet.Value
	}{
		"int":     {typeInt, []parquet.Value{null, parquet.Int32Value(math.MinInt32), parquet.Int32Value(-1), parquet.Int32Value(0), parquet.Int32Value(math.MaxInt32)}},
		"uint32":  {typeUint32, []parquet.Value{null, parquet.Int32Value(0), parquet.Int32Value(math.MaxInt32), parquet.Int32Value(-1)}},
		"uint64":  {typeUint64, []parquet.Value{parquet.Int64Value(0), parquet.Int64Value(math.MaxInt64), parquet.Int64Value(math.MinInt64), parquet.Int64Value(-1)}},
		"decimal": {dec38, []parquet.Value{null, big38("-99999999999999999999999999999999999999"), big38("-256"), big38("-255"), big38("-129"), big38("-128"), big38("-1"), big38("0"), big38("127"), big38("128"), big38("99999999999999999999999999999999999999")}},
		"double":  {typeDouble, []parquet.Value{null, parquet.DoubleValue(math.Inf(-1)), parquet.DoubleValue(-1), parquet.DoubleValue(-5e-324), parquet.DoubleValue(0), parquet.DoubleValue(5e-324), parquet.DoubleValue(math.Inf(1)), parquet.DoubleValue(math.NaN())}},
		"date":    {typeDate, []parquet.Value{parquet.Int32Value(-719_162), parquet.Int32Value(-1), parquet.Int32Value(2_932_896)}},
		"int96":   {typeInt96, []parquet.Value{int96(0, 0), int96(2_440_587, 86_399_999_999_999), int96(2_440_588, 0), int96(2_440_588, 1), int96(5_373_484, 0)}},
		"text":    {typeString, []parquet.Value{null, text(""), text("\x00"), text("\x00\x00"), text("\x00a"), text("a"), text("a\x00"), text("a\x01"), text("aa"), text("é")}},
		"bool":    {typeBool, []parquet.Value{null, parquet.BooleanValue(false), parquet.BooleanValue(true)}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, a := range c.values {
				for j, b := range c.values {
					got := bytes.Compare(lake.AppendKey(nil, c.typ, a), lake.AppendKey(nil, c.typ, b))
					if got != cmp.Compare(i, j) {
						t.Errorf("%v and %v: got %d", a, b, got)
					}
				}
			}
		})
	}
}

func TestAppendKey_canonical(t *testing.T) {
	decBytes := decimalIn(parquet.ByteArray, 0, 38, 2)
	for name, c := range map[string]struct {
		typ  parquetedit.Type
		a, b parquet.Value
	}{
		"zeros":              {typeDouble, parquet.DoubleValue(0), parquet.DoubleValue(math.Copysign(0, -1))},
		"float zeros":        {typeFloat, parquet.FloatValue(0), parquet.FloatValue(float32(math.Copysign(0, -1)))},
		"NaN":                {typeDouble, parquet.DoubleValue(math.NaN()), parquet.DoubleValue(math.Float64frombits(0xFFF8_0000_0000_0001))},
		"decimal sign bytes": {decBytes, text("\xff\xff\x80"), text("\x80")},
		"empty decimal":      {decBytes, text(""), text("\x00")},
		"INT96 days":         {typeInt96, int96(2_440_588, 0), int96(2_440_587, 86_400_000_000_000)},
	} {
		if a, b := lake.AppendKey(nil, c.typ, c.a), lake.AppendKey(nil, c.typ, c.b); !bytes.Equal(a, b) {
			t.Errorf("%s: got %x and %x", name, a, b)
		}
		if got := lake.Compare(c.typ, c.a, c.b); got != 0 {
			t.Errorf("%s: Compare gives %d", name, got)
		}
	}
}

func TestCompare_nullAndEmptyAreLowest(t *testing.T) {
	for name, c := range map[string]struct {
		a, b parquet.Value
		want int
	}{
		"NULL and NULL":  {parquet.NullValue(), parquet.NullValue(), 0},
		"NULL and empty": {parquet.NullValue(), text(""), 0},
		"empty and text": {text(""), text("0"), -1},
		"text and NULL":  {text("0"), parquet.NullValue(), 1},
	} {
		if got := lake.Compare(typeString, c.a, c.b); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestEqual(t *testing.T) {
	for name, c := range map[string]struct {
		typ  parquetedit.Type
		a, b parquet.Value
		want bool
	}{
		"NULLs":              {typeString, parquet.NullValue(), parquet.NullValue(), true},
		"NULL and empty":     {typeString, parquet.NullValue(), text(""), false},
		"texts":              {typeString, text("a"), text("a"), true},
		"minus zero":         {typeDouble, parquet.DoubleValue(0), parquet.DoubleValue(math.Copysign(0, -1)), false},
		"NaNs":               {typeFloat, parquet.FloatValue(float32(math.NaN())), parquet.FloatValue(math.Float32frombits(0xFFC0_0001)), true},
		"decimal sign bytes": {decimalIn(parquet.ByteArray, 0, 9, 0), text("\x00\x07"), text("\x07"), true},
		"binary is not":      {typeBytes, text("\x00\x07"), text("\x07"), false},
		"INT96":              {typeInt96, int96(2_440_588, 0), int96(2_440_587, 86_400_000_000_000), true},
		"bools":              {typeBool, parquet.BooleanValue(true), parquet.BooleanValue(false), false},
	} {
		if got := lake.Equal(c.typ, c.a, c.b); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// typed is a type with two of its values.
type typed struct {
	typ  parquetedit.Type
	a, b parquet.Value
}

func typedPairs() *rapid.Generator[typed] {
	return rapid.Custom(func(t *rapid.T) typed {
		typ := numbers().Draw(t, "number")
		if rapid.Bool().Draw(t, "other") {
			typ = rapid.SampledFrom([]parquetedit.Type{typeString, typeBytes, typeDouble, typeFloat, typeBool, typeDate, typeUs, typeInt96, typeUUID}).Draw(t, "type")
		}
		return typed{typ, valueIn(t, typ), valueIn(t, typ)}
	})
}

func valueIn(t *rapid.T, typ parquetedit.Type) parquet.Value {
	if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
		return parquet.NullValue()
	}
	switch typ {
	case typeString, typeBytes:
		return parquet.ByteArrayValue(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 254, 255}), 0, 4).Draw(t, "text"))
	case typeUUID:
		return parquet.FixedLenByteArrayValue(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 255}), 16, 16).Draw(t, "uuid"))
	case typeDouble:
		return parquet.DoubleValue(rapid.Float64().Draw(t, "double"))
	case typeFloat:
		return parquet.FloatValue(rapid.Float32().Draw(t, "float"))
	case typeBool:
		return parquet.BooleanValue(rapid.Bool().Draw(t, "bool"))
	case typeDate:
		return parquet.Int32Value(rapid.Int32().Draw(t, "date"))
	case typeUs:
		return parquet.Int64Value(rapid.Int64().Draw(t, "us"))
	case typeInt96:
		return int96(rapid.Int32Range(0, 6_000_000).Draw(t, "day"), rapid.Uint64Range(0, 86_399_999_999_999).Draw(t, "nanos"))
	}
	return unscaled(typ, unscaledIn(t, typ))
}

// The order of keys over two columns is that of the columns, and no column's bytes leak into the next.
func TestAppendKey_ordersLikeCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := typedPairs().Draw(t, "first"), typedPairs().Draw(t, "second")
		a := lake.AppendKey(lake.AppendKey(nil, first.typ, first.a), second.typ, second.a)
		b := lake.AppendKey(lake.AppendKey(nil, first.typ, first.b), second.typ, second.b)
		want := cmp.Or(keyOrder(first), keyOrder(second))
		if got := bytes.Compare(a, b); got != want {
			t.Fatalf("%+v, %+v: got %d, want %d", first, second, got, want)
		}
	})
}

// keyOrder is Compare, but NULL is lower than empty text, which is another key.
func keyOrder(p typed) int {
	if p.a.IsNull() != p.b.IsNull() {
		if p.a.IsNull() {
			return -1
		}
		return 1
	}
	return lake.Compare(p.typ, p.a, p.b)
}

func TestIntKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := typedPairs().Draw(t, "pair")
		n, ok := lake.IntKey(p.typ, p.a)
		key := lake.AppendKey(nil, p.typ, p.a)
		back, decoded := lake.DecodeIntKey(p.typ, string(key))
		if ok != decoded || n != back {
			t.Fatalf("%+v: got %d %v, decoded %d %v", p, n, ok, back, decoded)
		}
		m, both := lake.IntKey(p.typ, p.b)
		if ok && both && cmp.Compare(n, m) != lake.Compare(p.typ, p.a, p.b) {
			t.Fatalf("%+v: %d and %d are in another order", p, n, m)
		}
	})
}

func BenchmarkAppendKey(b *testing.B) {
	var dst []byte
	for i := range b.N {
		dst = lake.AppendKey(dst[:0], typeBigint, parquet.Int64Value(int64(i)))
	}
}
