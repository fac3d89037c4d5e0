package lake

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// scanCase is a lake file of many pages and the keys in it, by row; nil is NULL.
type scanCase struct {
	schema Schema
	keys   [][]value
	body   []byte
}

type (
	scanLong struct {
		A *int64 `parquet:"a,optional"`
	}
	scanText struct {
		A *string `parquet:"a,optional,dict"`
	}
	scanPlain struct {
		A *string `parquet:"a,optional"`
	}
	scanBytes struct {
		A []byte `parquet:"a"`
	}
	scanDouble struct {
		A *float64 `parquet:"a,optional"`
	}
	scanPair struct {
		A string `parquet:"a,dict"`
		B int64  `parquet:"b"`
	}
)

const scanRows = 40_000

// smallPages writes rows of another writer, in pages of some hundred rows with a page index that cuts text to 16 bytes.
func smallPages[T any](t *testing.T, row func(i int) (T, []value), o ...parquet.WriterOption) ([]byte, [][]value) {
	t.Helper()
	var body bytes.Buffer
	w := parquet.NewGenericWriter[T](&body, append(o, parquet.PageBufferSize(4096), parquet.ColumnIndexSizeLimit(func([]string) int { return 16 }))...)
	var keys [][]value
	for i := range scanRows {
		r, key := row(i)
		if _, err := w.Write([]T{r}); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes(), keys
}

// scanCases are files whose keys are in order or not, numbers and text, of one column or two.
func scanCases(t *testing.T) map[string]scanCase {
	t.Helper()
	schema := func(types ...parquetedit.Type) Schema {
		s := Schema{}
		for i, typ := range types {
			s.Columns = append(s.Columns, col(string(rune('a'+i)), typ))
			s.Key = append(s.Key, s.Columns[i].Name)
		}
		return s
	}
	integer, text := parquetedit.Type{Physical: parquet.Int64}, parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	long := func(at func(i int) int64) func(i int) (scanLong, []value) {
		return func(i int) (scanLong, []value) {
			if i%97 == 0 {
				return scanLong{}, nil
			}
			n := at(i)
			return scanLong{&n}, []value{parquet.Int64Value(n)}
		}
	}
	word := func(i int) string { return fmt.Sprintf("a prefix that is longer than sixteen bytes %08d", i) }
	cases := map[string]scanCase{}
	add := func(name string, s Schema, body []byte, keys [][]value) { cases[name] = scanCase{s, keys, body} }

	body, keys := smallPages(t, long(func(i int) int64 { return int64(i) * 3 }))
	add("numbers in order", schema(integer), body, keys)
	body, keys = smallPages(t, long(func(i int) int64 { return int64(i%1000) * 3 }))
	add("numbers again and again", schema(integer), body, keys)
	body, keys = smallPages(t, long(func(i int) int64 { return int64(mix(uint64(i))) }))
	add("numbers in no order", schema(integer), body, keys)
	body, keys = smallPages(t, long(func(i int) int64 { return int64(i) * 3 }), parquet.SkipPageBounds("a"))
	add("no bounds", schema(integer), body, keys)
	body, keys = smallPages(t, func(i int) (scanPlain, []value) {
		if i%97 == 0 {
			return scanPlain{}, nil
		}
		w := word(i)
		return scanPlain{&w}, []value{parquet.ByteArrayValue([]byte(w))}
	})
	add("text in order, bounds cut", schema(text), body, keys)
	body, keys = smallPages(t, func(i int) (scanText, []value) {
		if i%97 == 0 {
			return scanText{}, nil
		}
		w := word(i / 7 % 3000)
		return scanText{&w}, []value{parquet.ByteArrayValue([]byte(w))}
	})
	add("text in a dictionary", schema(text), body, keys)
	body, keys = smallPages(t, func(i int) (scanBytes, []value) {
		b := append(bytes.Repeat([]byte{0xff}, 8+i/2000), byte(i), byte(i>>8))
		return scanBytes{b}, []value{parquet.ByteArrayValue(b)}
	})
	add("bytes of FF, above the bounds that were cut", schema(parquetedit.Type{Physical: parquet.ByteArray}), body, keys)
	body, keys = smallPages(t, func(i int) (scanDouble, []value) {
		n := float64(i/3) - 1000
		if i%1013 == 5 {
			n = math.NaN()
		}
		return scanDouble{&n}, []value{parquet.DoubleValue(n)}
	})
	add("doubles, some NaN", schema(parquetedit.Type{Physical: parquet.Double}), body, keys)
	body, keys = smallPages(t, func(i int) (scanPair, []value) {
		return scanPair{word(i / 100), int64(i % 150)}, []value{parquet.ByteArrayValue([]byte(word(i / 100))), parquet.Int64Value(int64(i % 150))}
	})
	add("two columns", schema(text, integer), body, keys)
	return cases
}

// changesOf are deletes of keys that are there, at the ends of pages too, and of some that are not.
func (c *scanCase) changesOf(t *testing.T, rng *rand.Rand, n int) *Changes {
	t.Helper()
	seen := map[string]bool{}
	fold, err := NewFold(&c.schema, FoldOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(key []value) {
		if text := string(fold.encode(key)); key != nil && !seen[text] {
			seen[text] = true
			fold.set(fold.enter(entry{key: text, slot: int32(len(fold.ops)), gone: true}), change{columns: make([][]value, len(key)), gone: true, key: key})
		}
	}
	from := rng.IntN(scanRows)
	for i := range n {
		put(c.keys[rng.IntN(scanRows)])
		put(c.keys[(from+i)%scanRows]) // side by side: across an end of a page, if n is large enough
		if absent := slices.Clone(c.keys[1]); absent[0].Kind() == parquet.Int64 {
			absent[0] = parquet.Int64Value(rng.Int64())
			put(absent)
		}
	}
	changes, err := fold.Net()
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// TestLocate_findsWhatLookingAtEveryRowFinds holds the look-up, with all that it leaves out, against one that leaves
// out nothing.
func TestLocate_findsWhatLookingAtEveryRowFinds(t *testing.T) {
	for name, c := range scanCases(t) {
		t.Run(name, func(t *testing.T) {
			open, err := parquetedit.Open(t.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(c.body), N: int64(len(c.body))})
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, uint64(len(name))))
			for _, n := range []int{1, 1, 1, 2, 3, 10, 50, 500, 2000} {
				changes := c.changesOf(t, rng, n)
				byKey := map[string]int32{}
				for i, e := range changes.entries {
					byKey[e.key] = int32(i)
				}
				var want []hit
				for row, key := range c.keys {
					var text []byte
					for i, v := range key {
						text = AppendKey(text, c.schema.Columns[i].Type, v)
					}
					if n, ok := byKey[string(text)]; ok {
						want = append(want, hit{row: int64(row), change: n})
					}
				}
				got, err := changes.locate(t.Context(), open, &File{})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%d changes: %d hits, want %d", len(changes.entries), len(got), len(want))
				}
			}
		})
	}
}
