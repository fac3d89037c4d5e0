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
			ints, texts := newKeyIndex(entriesOf(encoded), keys), newKeyIndex(entriesOf(encoded), nil)
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

func TestChanges_integers(t *testing.T) {
	integer, text := parquetedit.Type{Physical: parquet.Int32}, parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	for name, c := range map[string]struct {
		schema Schema
		want   bool
	}{
		"one integer":                       {Schema{Columns: []parquetedit.Column{{Name: "a", Type: integer}}, Key: []string{"a"}}, true},
		"text":                              {Schema{Columns: []parquetedit.Column{{Name: "a", Type: text}}, Key: []string{"a"}}, false},
		"two integers":                      {Schema{Columns: []parquetedit.Column{{Name: "a", Type: integer}, {Name: "b", Type: integer}}, Key: []string{"a", "b"}}, false},
		"an integer that names directories": {Schema{Columns: []parquetedit.Column{{Name: "a", Type: integer}}, Key: []string{"a"}, Partition: []string{"a"}}, false},
	} {
		changes := &Changes{Schema: &c.schema}
		var key []byte
		for i := range c.schema.Key {
			changes.key = append(changes.key, i)
			v := parquet.Int32Value(-4)
			if c.schema.Columns[i].Type == text {
				v = parquet.ByteArrayValue([]byte("x"))
			}
			key = AppendKey(key, c.schema.Columns[i].Type, v)
		}
		changes.entries = []entry{{key: string(key)}}
		got := changes.integers()
		if (got != nil) != c.want || got != nil && got[0] != -4 {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
