package parquetedit_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/parquetedit"
)

// TestScatterModel: every row is in the file that it was for, and in no other; in order, whatever the runs,
// and rows written as values among them.
func TestScatterModel(t *testing.T) { rapid.Check(t, scatterModel(t, usual)) }

func scatterModel(t *testing.T, depth depth) func(*rapid.T) {
	t.Helper()
	return func(rt *rapid.T) {
		columns := drawColumns(rt, "c", 1, 6, false)
		rows := depth.drawRowCount(rt, 45_000)
		vs := drawRows(rt, columns, rows)
		f := open(t, write(rt, columns, vs, depth.drawOptions(rt, rows)))

		files, run := rapid.IntRange(1, 4).Draw(rt, "files"), rapid.SampledFrom([]int{1, 3, 1000}).Draw(rt, "run of one file")
		constant := parquetedit.Column{Name: "k", Type: textType()}
		bodies, writers := make([]bytes.Buffer, files), make([]*parquetedit.Writer, files)
		o := depth.drawOptions(rt, rows)
		for i := range writers {
			if i > 0 {
				writers[i] = writers[0].Another(&bodies[i])
				continue
			}
			var err error
			if writers[i], err = parquetedit.NewWriter(&bodies[i], append([]parquetedit.Column{constant}, columns...), o); err != nil {
				rt.Fatal(err)
			}
		}
		origins := []parquetedit.Origin{{Column: -1, Value: text("I")[0]}}
		for i := range columns {
			origins = append(origins, parquetedit.Origin{Column: i})
		}
		want := make([][][]parquet.Value, files)
		for i := range want {
			want[i] = make([][]parquet.Value, len(origins))
		}
		for rg, g := range f.RowGroups() {
			to := make([]int32, g.Rows)
			for i := range to {
				at := int(g.FirstRow) + i
				to[i] = int32(uint32(at/run)*2654435761>>16)%int32(files+1) - 1
				if to[i] >= 0 {
					add(want[to[i]], vs, at)
				}
			}
			if err := parquetedit.Scatter(context.Background(), f, rg, origins, parquetedit.Targets{Writers: writers, To: to}); err != nil {
				rt.Fatal(err)
			}
			last := int(g.FirstRow + g.Rows - 1)
			add(want[0], vs, last)
			one := make([][]parquet.Value, len(origins))
			add(one, vs, last)
			if err := writers[0].Write(one); err != nil {
				rt.Fatal(err)
			}
		}
		for i, w := range writers {
			if err := w.Close(); err != nil {
				rt.Fatal(err)
			}
			if d := firstDiff(showAll(want[i]), read(t, open(t, bodies[i].Bytes()))); d != "" {
				rt.Fatalf("file %d: %s", i, d)
			}
			checkBounds(rt, open(t, bodies[i].Bytes()), want[i])
		}
	}
}

// add appends row at of vs to a file that has a column of I before them.
func add(file, vs [][]parquet.Value, at int) {
	file[0] = append(file[0], text("I")[0])
	for c := range vs {
		file[c+1] = append(file[c+1], vs[c][at])
	}
}

func TestScatterRefuses(t *testing.T) {
	columns := []parquetedit.Column{column("n", parquetedit.Type{Physical: parquet.Int64})}
	f := open(t, write(t, columns, [][]parquet.Value{ints(1, 2, 3)}, parquetedit.WriterOptions{}))
	w, err := parquetedit.NewWriter(&bytes.Buffer{}, columns, parquetedit.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, targets := range map[string]parquetedit.Targets{
		"fewer rows":     {Writers: []*parquetedit.Writer{w}, To: []int32{0, 0}},
		"more rows":      {Writers: []*parquetedit.Writer{w}, To: []int32{0, 0, 0, 0}},
		"no file at all": {To: []int32{-1, -1, -1}},
	} {
		err := parquetedit.Scatter(t.Context(), f, 0, []parquetedit.Origin{{Column: 0}}, targets)
		if !errors.Is(err, parquetedit.ErrScript) {
			t.Errorf("%s: got %v, want %v", name, err, parquetedit.ErrScript)
		}
	}
}
