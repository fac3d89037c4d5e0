package parquetedit_test

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// TestBoundsThatTheWriterLeftOut: told to leave out the bounds of a column, parquet-go gives every page those of a zero in
// the column index, and the chunk none. Taken for true no key on these pages would ever be found again, not even in the
// file that a rewriting made of them.
func TestBoundsThatTheWriterLeftOut(t *testing.T) {
	type row struct {
		N int64 `parquet:"n"`
	}
	var body bytes.Buffer
	w := parquet.NewGenericWriter[row](&body, parquet.PageBufferSize(4096), parquet.SkipPageBounds("n"))
	for i := range 100_000 {
		if _, err := w.Write([]row{{int64(i) + 1000}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	after, _ := rewrite(t, body.Bytes(), parquetedit.Script{Replaces: []int64{7}, Replace: [][]parquet.Value{ints(5)}})
	f := open(t, after)
	for g := range f.RowGroups() {
		if b, ok := f.Bounds(g, 0); ok && (b.Min.Int64() > 5 || b.Max.Int64() < 1007) {
			t.Errorf("row group %d: bounds %v to %v", g, b.Min, b.Max)
		}
	}
	rows := int64(0)
	if err := f.Scan(t.Context(), 0, 0, func(b parquetedit.Bounds) bool {
		return b.Min.IsNull() || b.Min.Int64() <= 50_000 && 50_000 <= b.Max.Int64()
	}, func(p *parquetedit.Page) error {
		for _, n := range p.Int64s() {
			if n == 50_000 {
				rows++
			}
		}
		return nil
	}); err != nil || rows != 1 {
		t.Errorf("%d rows of a value that is there once, %v", rows, err)
	}
}

// TestBoundsThatWereCutBelowTheirValues: parquet-go cuts the bounds of pages and adds one to what is left of a maximum, but sixteen FF
// stay what they are, below the longer values that begin so. In the file that a rewriting made they were the bounds of the chunk.
func TestBoundsThatWereCutBelowTheirValues(t *testing.T) {
	type row struct {
		B []byte   `parquet:"b"`
		F [20]byte `parquet:"f"`
	}
	var body bytes.Buffer
	w := parquet.NewGenericWriter[row](&body, parquet.PageBufferSize(4096), parquet.ColumnIndexSizeLimit(func([]string) int { return 16 }))
	high := row{B: bytes.Repeat([]byte{0xff}, 20)}
	copy(high.F[:], high.B)
	for i := range 10_000 {
		r := row{B: []byte{byte(i)}, F: [20]byte{byte(i)}}
		if i == 7_000 {
			r = high
		}
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	after, _ := rewrite(t, body.Bytes(), parquetedit.Script{Deletes: []int64{7}})
	f := open(t, after)
	for c := range 2 {
		if b, ok := f.Bounds(0, c); ok && bytes.Compare(b.Max.ByteArray(), high.B) < 0 {
			t.Errorf("column %d: a maximum of %x, there is %x", c, b.Max.ByteArray(), high.B)
		}
	}
	for _, fault := range newFaults(nil, audited(f.Columns(), valuesOf(t, f), after)) {
		t.Error(fault.text)
	}
}
