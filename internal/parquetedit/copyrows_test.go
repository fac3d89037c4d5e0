package parquetedit_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/parquetedit"
)

// copyRows copies every row group that the writer takes, and gives how many those were.
func copyRows(tb rapid.TB, w *parquetedit.Writer, f *parquetedit.File, origins []parquetedit.Origin) int {
	tb.Helper()
	taken := 0
	for rg := range f.RowGroups() {
		if !w.Takes(f, rg) {
			continue
		}
		taken++
		if err := w.CopyRows(context.Background(), f, rg, origins); err != nil {
			tb.Fatal(err)
		}
	}
	return taken
}

// TestCopyRowsModel: columns copied backwards, a column of one value and one of NULLs read as they were
// written, whatever the pages and encodings between.
func TestCopyRowsModel(t *testing.T) { rapid.Check(t, copyRowsModel(t, usual)) }

func copyRowsModel(t *testing.T, depth depth) func(*rapid.T) {
	t.Helper()
	return func(rt *rapid.T) {
		columns := drawColumns(rt, "c", 1, 6, false)
		rows := depth.drawRowCount(rt, 45_000)
		vs := drawRows(rt, columns, rows)
		f := open(t, write(rt, columns, vs, depth.drawOptions(rt, rows)))

		extra := drawColumns(rt, "x", 2, 2, true)
		constant := valueOf(extra[0].Type, 5)
		origins := []parquetedit.Origin{{Column: -1, Value: constant}, {Column: -1}}
		want := [][]parquet.Value{slices.Repeat([]parquet.Value{constant}, rows), make([]parquet.Value, rows)}
		for i := range slices.Backward(columns) {
			extra, origins, want = append(extra, columns[i]), append(origins, parquetedit.Origin{Column: i}), append(want, vs[i])
		}
		o := depth.drawOptions(rt, rows)
		o.MaxRowGroupRows = 50_000
		var b bytes.Buffer
		w, err := parquetedit.NewWriter(&b, extra, o)
		if err != nil {
			rt.Fatal(err)
		}
		if got := copyRows(rt, w, f, origins); got != len(f.RowGroups()) {
			rt.Fatalf("%d row groups taken of %d", got, len(f.RowGroups()))
		}
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}
		if d := firstDiff(showAll(want), read(t, open(t, b.Bytes()))); d != "" {
			rt.Fatal(d)
		}
		if d := firstDiff(showAll(want), readOther(t, b.Bytes())); d != "" {
			rt.Fatal("parquet-go:", d)
		}
		checkBounds(rt, open(t, b.Bytes()), want)
	}
}

// TestCopyRowsOfOtherWriters: files of Spark, pyarrow, DuckDB and others are copied value for value.
func TestCopyRowsOfOtherWriters(t *testing.T) {
	for name, body := range foreign(t) {
		f := open(t, body)
		origins := make([]parquetedit.Origin, len(f.Columns()))
		for i := range origins {
			origins[i].Column = i
		}
		var b bytes.Buffer
		w, err := parquetedit.NewWriter(&b, f.Columns(), parquetedit.WriterOptions{})
		if err != nil {
			t.Fatal(name, err)
		}
		if got := copyRows(t, w, f, origins); got != len(f.RowGroups()) {
			t.Errorf("%s: %d row groups taken of %d", name, got, len(f.RowGroups()))
		}
		if err := w.Close(); err != nil {
			t.Fatal(name, err)
		}
		if d := firstDiff(read(t, f), read(t, open(t, b.Bytes()))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestCopyRowsRefuses(t *testing.T) {
	number := parquetedit.Type{Physical: parquet.Int64}
	from := []parquetedit.Column{column("n", number), column("s", textType())}
	f := open(t, write(t, from, [][]parquet.Value{ints(1, 2, 3), text("a", "b", "c")}, parquetedit.WriterOptions{}))
	for name, c := range map[string]struct {
		to     parquetedit.Column
		origin parquetedit.Origin
		want   error
	}{
		"another type":             {column("n", number), parquetedit.Origin{Column: 1}, parquetedit.ErrScript},
		"a value of another type":  {column("n", number), parquetedit.Origin{Column: -1, Value: text("a")[0]}, parquetedit.ErrValue},
		"NULL for a required one":  {parquetedit.Column{Name: "n", Type: number, Required: true}, parquetedit.Origin{Column: -1}, parquetedit.ErrValue},
		"an optional for required": {parquetedit.Column{Name: "n", Type: number, Required: true}, parquetedit.Origin{Column: 0}, parquetedit.ErrValue},
	} {
		w, err := parquetedit.NewWriter(&bytes.Buffer{}, []parquetedit.Column{c.to}, parquetedit.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.CopyRows(t.Context(), f, 0, []parquetedit.Origin{c.origin}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err := w.Close(); !errors.Is(err, c.want) {
			t.Errorf("%s: Close got %v, want %v", name, err, c.want)
		}
	}
	small, err := parquetedit.NewWriter(&bytes.Buffer{}, from, parquetedit.WriterOptions{MaxRowGroupRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	if small.Takes(f, 0) {
		t.Error("a writer of row groups of two rows takes one of three")
	}
}
