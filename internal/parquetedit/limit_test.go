package parquetedit_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// TestNothingIsWrittenThatWouldBeRefused: a file beyond the limits of Open was written all the same; nobody could have
// edited it again.
func TestNothingIsWrittenThatWouldBeRefused(t *testing.T) {
	long := parquetedit.Type{Physical: parquet.Int64}
	columns := []parquetedit.Column{column("n", long)}
	t.Run("10,001 row groups", func(t *testing.T) {
		w, err := parquetedit.NewWriter(io.Discard, columns, parquetedit.WriterOptions{MaxRowGroupRows: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write([][]parquet.Value{ints(make([]int64, 10_001)...)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); !errors.Is(err, parquetedit.ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
	})
	t.Run("100 MiB in a few KiB", func(t *testing.T) {
		w, err := parquetedit.NewWriter(io.Discard, []parquetedit.Column{column("s", textType())}, parquetedit.WriterOptions{MaxRowGroupBytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("a", 1<<20)
		for i := range 100 {
			if err := w.Write([][]parquet.Value{text(fmt.Sprint(i, long))}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); !errors.Is(err, parquetedit.ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
	})
	t.Run("4,097 columns", func(t *testing.T) {
		b := write(t, columns, [][]parquet.Value{ints(1)}, parquetedit.WriterOptions{})
		var s parquetedit.Script
		for i := range 4096 {
			s.Add = append(s.Add, column(fmt.Sprint("c", i), long))
		}
		_, err := parquetedit.Rewrite(t.Context(), open(t, b), s, parquetedit.NewOutput(source(b), io.Discard))
		if !errors.Is(err, parquetedit.ErrScript) {
			t.Errorf("got %v, want ErrScript", err)
		}
	})
}
