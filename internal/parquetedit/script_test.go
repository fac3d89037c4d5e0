package parquetedit_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

func ints(vs ...int64) []parquet.Value {
	out := make([]parquet.Value, len(vs))
	for i, v := range vs {
		out[i] = parquet.Int64Value(v)
	}
	return out
}

// TestScriptRefused: a script that does not fit is refused before anything is written.
func TestScriptRefused(t *testing.T) {
	long := parquetedit.Type{Physical: parquet.Int64}
	columns := []parquetedit.Column{{Name: "id", Type: long, Required: true}, {Name: "s", Type: textType()}}
	b := write(t, columns, [][]parquet.Value{ints(1, 2, 3), text("a", "b", "c")}, parquetedit.WriterOptions{})
	for _, tc := range []struct {
		name   string
		script parquetedit.Script
		want   error
	}{
		{"deletes out of order", parquetedit.Script{Deletes: []int64{2, 1}}, parquetedit.ErrScript},
		{"a row twice", parquetedit.Script{Deletes: []int64{1, 1}}, parquetedit.ErrScript},
		{"a row that is not there", parquetedit.Script{Deletes: []int64{3}}, parquetedit.ErrScript},
		{"a negative row", parquetedit.Script{Deletes: []int64{-1}}, parquetedit.ErrScript},
		{"deleted and replaced", parquetedit.Script{Deletes: []int64{1}, Replaces: []int64{1}, Replace: [][]parquet.Value{ints(1), text("x")}}, parquetedit.ErrScript},
		{"a column too few", parquetedit.Script{Replaces: []int64{1}, Replace: [][]parquet.Value{ints(1)}}, parquetedit.ErrScript},
		{"a value too few", parquetedit.Script{Append: [][]parquet.Value{ints(1, 2), text("x")}}, parquetedit.ErrScript},
		{"another physical type", parquetedit.Script{Append: [][]parquet.Value{{parquet.Int32Value(1)}, text("x")}}, parquetedit.ErrValue},
		{"NULL in a required column", parquetedit.Script{Append: [][]parquet.Value{{{}}, text("x")}}, parquetedit.ErrValue},
		{"a column that is there", parquetedit.Script{Add: []parquetedit.Column{{Name: "s", Type: textType()}}}, parquetedit.ErrScript},
		{"a required column", parquetedit.Script{Add: []parquetedit.Column{{Name: "n", Type: long, Required: true}}}, parquetedit.ErrScript},
		{"a decimal without precision", parquetedit.Script{Add: []parquetedit.Column{{Name: "n", Type: parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Decimal}}}}, parquetedit.ErrScript},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			_, err := parquetedit.Rewrite(t.Context(), open(t, b), tc.script, parquetedit.NewOutput(source(b), &out))
			if !errors.Is(err, tc.want) || out.Len() > 0 {
				t.Errorf("%v and %d bytes, want %v", err, out.Len(), tc.want)
			}
		})
	}
}

// TestEmpty: Empty drops the rows and keeps the schema, or writes another.
func TestEmpty(t *testing.T) {
	b := foreign(t)["arrow_default.parquet"]
	old := open(t, b).Columns()
	got, stats := rewrite(t, b, parquetedit.Script{Empty: true, Deletes: []int64{1 << 40}})
	if f := open(t, got); f.NumRows() != 0 || len(f.Columns()) != len(old) || stats.Rows != 0 {
		t.Errorf("%d rows, %d columns", f.NumRows(), len(f.Columns()))
	}
	other := []parquetedit.Column{column("only", textType())}
	got, _ = rewrite(t, b, parquetedit.Script{Empty: true, Columns: other})
	if f := open(t, got); len(f.Columns()) != 1 || f.Columns()[0] != other[0] {
		t.Errorf("%+v", f.Columns())
	}
	got, _ = rewrite(t, got, parquetedit.Script{Append: [][]parquet.Value{text("a", "b")}, Compression: "snappy"})
	f := open(t, got)
	if d := firstDiff(table{{`"a"`, `"b"`}}, read(t, f)); d != "" || f.RowGroups()[0].Compression != "snappy" {
		t.Error(d, f.RowGroups())
	}
}

// TestSmallTailsMerge: appending one row at a time does not pile up row groups.
func TestSmallTailsMerge(t *testing.T) {
	columns := []parquetedit.Column{column("s", textType())}
	b := write(t, columns, [][]parquet.Value{text("first")}, parquetedit.WriterOptions{})
	for range 40 {
		b, _ = rewrite(t, b, parquetedit.Script{Append: [][]parquet.Value{text("more")}, MaxRowGroupRows: 64})
	}
	f := open(t, b)
	if n := len(f.RowGroups()); n != 3 || f.NumRows() != 41 {
		t.Errorf("%d row groups, %d rows", n, f.NumRows())
	}
}

// recorder is an Output that notes the ranges it was asked to copy.
type recorder struct {
	parquetedit.Output
	ranges [][2]int64
}

// CopyRange implements parquetedit.Output.
func (r *recorder) CopyRange(ctx context.Context, off, n int64) error {
	r.ranges = append(r.ranges, [2]int64{off, n})
	return r.Output.CopyRange(ctx, off, n)
}

// TestAdjacentRangesAreOne: what is copied from neighboring row groups is one range, from the first byte of
// the file on: S3 copies it without a download.
func TestAdjacentRangesAreOne(t *testing.T) {
	columns := []parquetedit.Column{column("n", parquetedit.Type{Physical: parquet.Int64})}
	b := write(t, columns, [][]parquet.Value{ints(1, 2, 3, 4, 5, 6, 7, 8)}, parquetedit.WriterOptions{MaxRowGroupRows: 2})
	var out bytes.Buffer
	r := &recorder{Output: parquetedit.NewOutput(source(b), &out)}
	stats, err := parquetedit.Rewrite(t.Context(), open(t, b), parquetedit.Script{Deletes: []int64{7}}, r)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.ranges) != 1 || r.ranges[0][0] != 0 || stats.RowGroupsCopied != 3 || stats.BytesCopied != r.ranges[0][1] {
		t.Errorf("ranges %v, %+v", r.ranges, stats)
	}
}

// TestReplaceColumn: values that are given column by column make the same file as those given at once, and are asked for by row group; what
// does not fit ends the rewriting.
func TestReplaceColumn(t *testing.T) {
	columns := []parquetedit.Column{column("n", parquetedit.Type{Physical: parquet.Int64}), column("s", textType())}
	vs := [][]parquet.Value{ints(1, 2, 3, 4, 5, 6, 7, 8, 9), text("a", "b", "c", "d", "e", "f", "g", "h", "i")}
	b := write(t, columns, vs, parquetedit.WriterOptions{MaxRowGroupRows: 3})
	s := parquetedit.Script{Replaces: []int64{1, 2, 7}, Replace: [][]parquet.Value{ints(20, 30, 80), text("B", "C", "H")}}
	want, _ := rewrite(t, b, s)
	var mu sync.Mutex
	asked := map[[3]int]int{}
	lazy := parquetedit.Script{Replaces: s.Replaces, ReplaceColumn: func(c, i, j int) ([]parquet.Value, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[[3]int{c, i, j}]++
		return s.Replace[c][i:j], nil
	}}
	if got, _ := rewrite(t, b, lazy); !bytes.Equal(got, want) {
		t.Error("another file than with all values at once")
	}
	if d := cmp.Diff(map[[3]int]int{{0, 0, 2}: 1, {1, 0, 2}: 1, {0, 2, 3}: 1, {1, 2, 3}: 1}, asked); d != "" {
		t.Error("asked for (-want +got):", d)
	}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		give func(c, i, j int) ([]parquet.Value, error)
		want error
	}{
		"too few":    {func(c, i, _ int) ([]parquet.Value, error) { return s.Replace[c][i:i], nil }, parquetedit.ErrScript},
		"other type": {func(_, i, j int) ([]parquet.Value, error) { return s.Replace[0][i:j], nil }, parquetedit.ErrValue},
		"its error":  {func(_, _, _ int) ([]parquet.Value, error) { return nil, broken }, broken},
	} {
		x := parquetedit.Script{Replaces: s.Replaces, ReplaceColumn: c.give}
		src := source(b)
		_, err := parquetedit.Rewrite(t.Context(), open(t, b), x, parquetedit.NewOutput(src, &bytes.Buffer{}))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
