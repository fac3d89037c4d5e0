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
