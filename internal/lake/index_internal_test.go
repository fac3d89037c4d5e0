package lake

import (
	"math"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/parquetedit"
)

func TestKeyIndex(t *testing.T) {
	many := make([]int64, 100_000)
	for i := range many {
		many[i] = int64(i) << 32 // all low bits alike
	}
	for name, keys := range map[string][]int64{
		"none":     {},
		"one":      {7},
		"extremes": {math.MinInt64, -1, 0, 1, math.MaxInt64},
		"many":     many,
	} {
		t.Run(name, func(t *testing.T) {
			bigint := parquetedit.Type{Physical: parquet.Int64}
			var encoded []string
			for _, k := range keys {
				encoded = append(encoded, string(AppendKey(nil, bigint, parquet.Int64Value(k))))
			}
			ints, texts := newKeyIndex(entriesOf(encoded)), newKeyIndex(entriesOf(encoded))
			ints.ints = append([]int64{}, keys...)
			ints.rebuild(len(keys))
			ints.screen()
			for i, k := range keys {
				if got := ints.findInt(k); got != int32(i) {
					t.Fatalf("integer %d: got change %d, want %d", k, got, i)
				}
				if got := texts.find([]byte(encoded[i])); got != int32(i) {
					t.Fatalf("key %x: got change %d, want %d", encoded[i], got, i)
				}
			}
			for _, k := range []int64{5, -5, 1<<40 + 1} {
				key := AppendKey(nil, bigint, parquet.Int64Value(k))
				if ints.findInt(k) != -1 || texts.find(key) != -1 {
					t.Errorf("%d was found", k)
				}
			}
			if len(ints.slots) < 2*len(keys) {
				t.Errorf("%d slots for %d keys: more than half full", len(ints.slots), len(keys))
			}
		})
	}
}

func entriesOf(keys []string) []entry {
	entries := make([]entry, len(keys))
	for i, k := range keys {
		entries[i].key = k
	}
	return entries
}

func TestKeyIndex_equalsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.String(), rapid.ID[string]).Draw(t, "keys")
		index := &keyIndex{}
		for i := range keys { // one by one, as a fold does
			index.add(entriesOf(keys[:i+1]))
		}
		want := map[string]int32{}
		for i, k := range keys {
			want[k] = int32(i)
		}
		for _, k := range append(rapid.SliceOf(rapid.String()).Draw(t, "others"), keys...) {
			n, ok := want[k]
			if !ok {
				n = -1
			}
			if got := index.find([]byte(k)); got != n {
				t.Fatalf("%q: got %d, want %d", k, got, n)
			}
		}
	})
}

// TestChanges_firstIndex: every form that a key's first column has in the index finds the values that are there.
func TestChanges_firstIndex(t *testing.T) {
	bytesOf := func(s string) value { return parquet.ByteArrayValue([]byte(s)) }
	number, text := col("a", parquetedit.Type{Physical: parquet.Int32}), col("a", parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String})
	decimal := col("a", parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.Decimal, Precision: 9, Scale: 2})
	for name, c := range map[string]struct {
		first  parquetedit.Column
		values []value // ascending
		absent value
	}{
		"integers": {number, []value{parquet.Int32Value(-4), parquet.Int32Value(0), parquet.Int32Value(7)}, parquet.Int32Value(1)},
		"unsigned": {col("a", parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Integer, Bits: 64}), []value{parquet.Int64Value(3), parquet.Int64Value(-1)}, parquet.Int64Value(-3)},
		"text":     {text, []value{bytesOf(""), bytesOf("a\x00\x00b"), bytesOf("a\x00\xff"), bytesOf("é")}, bytesOf("a\x00")},
		"decimals": {decimal, []value{bytesOf("\xfe"), bytesOf("\x01"), bytesOf("\x01\x00")}, bytesOf("\x02")},
		"doubles":  {col("a", parquetedit.Type{Physical: parquet.Double}), []value{parquet.DoubleValue(-1), parquet.DoubleValue(0), parquet.DoubleValue(math.NaN())}, parquet.DoubleValue(2)},
		"booleans": {col("a", parquetedit.Type{Physical: parquet.Boolean}), []value{parquet.BooleanValue(true)}, parquet.BooleanValue(false)},
		"int96":    {col("a", parquetedit.Type{Physical: parquet.Int96}), []value{parquet.Int96Value([3]uint32{1, 2, 3})}, parquet.Int96Value([3]uint32{1, 2, 4})},
	} {
		for _, second := range []bool{false, true} {
			changes := &Changes{Schema: &Schema{Columns: []parquetedit.Column{c.first, number}}, key: []int{0}}
			if second {
				changes.key = []int{0, 1}
			}
			for _, v := range c.values {
				key := AppendKey(nil, c.first.Type, v)
				if !second {
					changes.entries = append(changes.entries, entry{key: string(key)})
					continue
				}
				for i := range int32(3) {
					changes.entries = append(changes.entries, entry{key: string(AppendKey(key, number.Type, parquet.Int32Value(i)))})
				}
			}
			x, scratch := changes.firstIndex(), []byte{}
			for i, v := range c.values {
				if got := x.findValue(c.first.Type, v, &scratch); got != int32(i) {
					t.Errorf("%s: value %d is found as %d", name, i, got)
				}
				if got := x.findKey(c.first.Type, AppendKey(nil, c.first.Type, v)); got != int32(i) {
					t.Errorf("%s: key %d is found as %d", name, i, got)
				}
			}
			if got := x.findValue(c.first.Type, c.absent, &scratch); got != -1 {
				t.Errorf("%s: what is not there is found as %d", name, got)
			}
			if got := x.findValue(c.first.Type, value{}, &scratch); got != -1 {
				t.Errorf("%s: NULL is found as %d", name, got)
			}
		}
	}
}

func col(name string, t parquetedit.Type) parquetedit.Column {
	return parquetedit.Column{Name: name, Type: t}
}
