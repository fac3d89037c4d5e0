package parquetedit_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// known says whether an error is one that a caller can tell.
func known(err error) bool {
	for _, e := range []error{
		parquetedit.ErrCorrupt, parquetedit.ErrEncrypted, parquetedit.ErrCodec, parquetedit.ErrEncoding,
		parquetedit.ErrNested, parquetedit.ErrTooLarge,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// FuzzOpen: whatever a file holds, reading and rewriting it ends with its rows or with a known error.
func FuzzOpen(f *testing.F) {
	for _, b := range foreign(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parquetedit.Open(t.Context(), source(b))
		if err != nil {
			if !known(err) {
				t.Fatal(err)
			}
			return
		}
		if file.NumRows() > 1<<20 || len(file.Columns()) > 100 || len(file.RowGroups()) > 100 {
			return
		}
		for rg, g := range file.RowGroups() {
			for c := range file.Columns() {
				file.Bounds(rg, c)
				rows := int64(0)
				err := file.ReadColumn(t.Context(), rg, c, func(_ int64, vs []parquet.Value) error {
					rows += int64(len(vs))
					return nil
				})
				if err == nil && rows != g.Rows || err != nil && !known(err) {
					t.Fatalf("row group %d, column %d: %d of %d rows, %v", rg, c, rows, g.Rows, err)
				}
			}
		}
		s := parquetedit.Script{Parallel: 1}
		if file.NumRows() > 1 {
			s.Deletes = []int64{0}
		}
		var out bytes.Buffer
		stats, err := parquetedit.Rewrite(t.Context(), file, s, parquetedit.NewOutput(source(b), &out))
		if err != nil {
			if !known(err) {
				t.Fatal(err)
			}
			return
		}
		again, err := parquetedit.Open(t.Context(), source(out.Bytes()))
		if err != nil || again.NumRows() != stats.Rows {
			t.Fatal("rewritten:", stats, err)
		}
	})
}
