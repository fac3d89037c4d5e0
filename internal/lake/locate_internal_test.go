package lake

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// BenchmarkLocate looks 1,000 changed keys up in a lake file of a million rows,
// by integer and by text: rows per second are those of the file.
func BenchmarkLocate(b *testing.B) {
	const rows, changed = 1_000_000, 1_000
	integer := parquetedit.Type{Physical: parquet.Int64}
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	number := func(i int) value { return parquet.Int64Value(int64(i)) }
	word := func(i int) value { return parquet.ByteArrayValue(fmt.Appendf(nil, "customer-%09d", i)) }
	for name, c := range map[string]struct {
		schema Schema
		key    func(i int) []value
	}{
		"bigint":             {Schema{Columns: []parquetedit.Column{{Name: "a", Type: integer}}, Key: []string{"a"}}, func(i int) []value { return []value{number(i)} }},
		"string":             {Schema{Columns: []parquetedit.Column{{Name: "a", Type: text}}, Key: []string{"a"}}, func(i int) []value { return []value{word(i)} }},
		"bigint in no order": {Schema{Columns: []parquetedit.Column{{Name: "a", Type: integer}}, Key: []string{"a"}}, func(i int) []value { return []value{number(int(mix(uint64(i))))} }},
		"uuid text":          {Schema{Columns: []parquetedit.Column{{Name: "a", Type: text}}, Key: []string{"a"}}, func(i int) []value { return []value{uuidOf(i)} }},
		"string and bigint":  {Schema{Columns: []parquetedit.Column{{Name: "a", Type: text}, {Name: "b", Type: integer}}, Key: []string{"a", "b"}}, func(i int) []value { return []value{word(i / 10), number(i)} }},
	} {
		b.Run(name, func(b *testing.B) {
			open := benchFile(b, &c.schema, rows, c.key)
			changes := benchDeletes(b, &c.schema, changed, func(i int) []value { return c.key(i * (rows / changed)) })
			for b.Loop() {
				hits, err := changes.locate(b.Context(), open, &File{})
				if err != nil || len(hits) != changed {
					b.Fatalf("%d hits, %v", len(hits), err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(changed)*float64(b.N)/b.Elapsed().Seconds(), "hits/s")
		})
	}
}

// BenchmarkKeyIndex asks for keys that are not there and for keys that are.
func BenchmarkKeyIndex(b *testing.B) {
	const keys = 100_000
	integer := parquetedit.Type{Physical: parquet.Int64}
	ints, texts := make([]int64, keys), make([]string, keys)
	for i := range keys {
		ints[i] = int64(i) * 7
		texts[i] = string(AppendKey(nil, integer, parquet.Int64Value(ints[i])))
	}
	byInt, byText := newKeyIndex(entriesOf(texts)), newKeyIndex(entriesOf(texts))
	byInt.ints = ints
	byInt.rebuild(keys)
	b.Run("int miss", func(b *testing.B) {
		for i := range b.N {
			byInt.findInt(int64(i)*7 + 1)
		}
	})
	b.Run("int hit", func(b *testing.B) {
		for i := range b.N {
			byInt.findInt(ints[i%keys])
		}
	})
	miss := AppendKey(nil, integer, parquet.Int64Value(1))
	b.Run("text miss", func(b *testing.B) {
		for range b.N {
			byText.find(miss)
		}
	})
}

// uuidOf is the text of a random UUID.
func uuidOf(i int) value {
	a, b := mix(uint64(2*i+1)), mix(uint64(2*i+2))
	return parquet.ByteArrayValue(fmt.Appendf(nil, "%08x-%04x-%04x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48), uint16(b), b>>16))
}

func benchFile(b *testing.B, s *Schema, rows int, key func(i int) []value) *parquetedit.File {
	b.Helper()
	columns := make([][]value, len(s.Columns))
	for i := range rows {
		for c, v := range key(i) {
			columns[c] = append(columns[c], v)
		}
	}
	var body bytes.Buffer
	w, err := parquetedit.NewWriter(&body, s.Columns, parquetedit.WriterOptions{Compression: "snappy"})
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Write(columns); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	open, err := parquetedit.Open(b.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body.Bytes()), N: int64(body.Len())})
	if err != nil {
		b.Fatal(err)
	}
	return open
}

// benchDeletes are deletes of the keys 0 … n-1.
func benchDeletes(b *testing.B, s *Schema, n int, key func(i int) []value) *Changes {
	b.Helper()
	fold, err := NewFold(s, FoldOptions{})
	if err != nil {
		b.Fatal(err)
	}
	batch := dms.Batch{Columns: make([][]value, len(s.Columns))}
	for i := range n {
		for c, v := range key(i) {
			batch.Columns[c] = append(batch.Columns[c], v)
		}
		batch.Ops = append(batch.Ops, dms.Delete)
	}
	src := &source{at: make([]int, len(s.Columns)), convert: make([]convertFunc, len(s.Columns))}
	for c := range src.at {
		src.at[c] = c
	}
	if err := fold.addBatch(src, batch); err != nil {
		b.Fatal(err)
	}
	changes, err := fold.Net()
	if err != nil {
		b.Fatal(err)
	}
	return changes
}
