package lake_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/lake"
)

// outputs is a sink in memory.
type outputs struct {
	bodies map[int]*bytes.Buffer
	closed map[int]bool
}

func (o *outputs) Open(n int) (io.Writer, lake.FileOptions, error) {
	o.bodies[n] = &bytes.Buffer{}
	return o.bodies[n], lake.FileOptions{Compression: "snappy"}, nil
}

func (o *outputs) Close(n int) error {
	o.closed[n] = true
	return nil
}

// loaded carries a load's ops out: the rows of all files as lines, by directory, in the order of the ops.
func loaded(tb rapid.TB, l *lake.Load, ops []lake.LoadOp) map[string][]string {
	tb.Helper()
	rows := map[string][]string{}
	for i, op := range ops {
		sink := &outputs{bodies: map[int]*bytes.Buffer{}, closed: map[int]bool{}}
		if err := l.Run(context.Background(), op, sink); err != nil {
			tb.Fatalf("op %d: %v", i, err)
		}
		if len(sink.closed) != len(op.Outputs) {
			tb.Fatalf("op %d: %d of %d outputs closed", i, len(sink.closed), len(op.Outputs))
		}
		for n, out := range op.Outputs {
			f := openBody(tb, sink.bodies[n].Bytes())
			if f.NumRows() != out.Rows {
				tb.Fatalf("op %d, output %d (%s): %d rows, %d planned", i, n, out.Dir, f.NumRows(), out.Rows)
			}
			rows[out.Dir] = append(rows[out.Dir], lines(tb, f)...)
		}
	}
	return rows
}

// drawLoad draws the inputs of a load of the columns id, p, v, n, and its rows by directory.
func drawLoad(t *rapid.T, partitioned bool) ([]sheet, map[string][]string) {
	want := map[string][]string{}
	var inputs []sheet
	id := 0
	for range rapid.IntRange(1, 4).Draw(t, "inputs") {
		spec := rapid.SampledFrom([]string{"Op string, id int, p string, v string", "id int, p string, v string", "p string, id int", "id int, v string, p string, Op string"}).Draw(t, "columns")
		s := sheet{columns: cols(spec), groups: rapid.SliceOfN(rapid.IntRange(1, 6), 0, 3).Draw(t, "row groups")}
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			id++
			row := map[string]any{
				"Op": rapid.SampledFrom([]any{nil, "I", ""}).Draw(t, "op"), "id": id, "v": fmt.Sprint("v", id),
				"p": rapid.SampledFrom([]any{nil, "", "a", "b", "c/d", "__"}).Draw(t, "partition"),
			}
			var cells []any
			for _, c := range s.columns {
				cells = append(cells, row[c.Name])
			}
			s.rows = append(s.rows, cells)
			dir, line := loadLine(row, partitioned, strings.Contains(spec, "v string"))
			want[dir] = append(want[dir], line)
		}
		inputs = append(inputs, s)
	}
	return inputs, want
}

// loadLine is the directory of a row and the row as a lake file of ours has it.
func loadLine(row map[string]any, partitioned, hasV bool) (dir, line string) {
	v := "NULL"
	if hasV {
		v = fmt.Sprint(row["v"])
	}
	p := map[any]string{nil: "NULL", "": `""`}[row["p"]]
	if p == "" {
		p = fmt.Sprint(row["p"])
	}
	if !partitioned {
		return "", fmt.Sprintf("I %v %s %s", row["id"], p, v)
	}
	if row["p"] == nil || row["p"] == "" {
		return "p=" + lake.NullPartition + "/", fmt.Sprintf("I %v %s", row["id"], v)
	}
	return "p=" + lake.EscapePath(p) + "/", fmt.Sprintf("I %v %s", row["id"], v)
}

// Every row of the inputs is in exactly one file, in their order, whether an op
// streams one output or holds several.
func TestLoad_everyRowExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partitioned := rapid.Bool().Draw(t, "partitioned")
		inputs, want := drawLoad(t, partitioned)
		base := lake.Schema{Columns: cols("id int, p string, v string"), Key: []string{"id"}, Op: true}
		if partitioned {
			base.Partition = []string{"p"}
		}
		load := &lake.Load{Schema: &base}
		for i, s := range inputs {
			load.Inputs = append(load.Inputs, lake.LoadFile{Name: fmt.Sprint(i), Open: s.open(t)})
		}
		target := rapid.SampledFrom([]int64{1, 50, 300, 1 << 20}).Draw(t, "target bytes")
		ops, err := lake.PlanLoad(context.Background(), load, lake.Limits{TargetFileBytes: target}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "one output at a time") {
			ops = oneOutputEach(ops)
		}
		if diff := cmp.Diff(want, loaded(t, load, ops)); diff != "" {
			t.Fatal("−want +got:\n", diff)
		}
	})
}

// oneOutputEach takes ops apart: the same row groups are read for each output.
func oneOutputEach(ops []lake.LoadOp) []lake.LoadOp {
	var apart []lake.LoadOp
	for _, op := range ops {
		for _, out := range op.Outputs {
			apart = append(apart, lake.LoadOp{Parts: op.Parts, Outputs: []lake.Output{out}})
		}
	}
	return apart
}

func TestPlanLoad_unpartitionedRuns(t *testing.T) {
	spec := "id int"
	of := func(groups ...int) sheet {
		s := sheet{columns: cols(spec), groups: groups}
		for _, n := range groups {
			for range n {
				s.rows = append(s.rows, []any{1})
			}
		}
		return s
	}
	for name, c := range map[string]struct {
		inputs []sheet
		want   []string
	}{
		"nothing":                        {nil, nil},
		"an input without rows":          {[]sheet{of()}, nil},
		"all in one file":                {[]sheet{of(2, 2), of(1)}, []string{"5 rows from [{0 [0 1]} {1 [0]}]"}},
		"cut where the target is met":    {[]sheet{of(6, 4, 3), of(3, 9)}, []string{"10 rows from [{0 [0 1]}]", "15 rows from [{0 [2]} {1 [0 1]}]"}},
		"a row group above the target":   {[]sheet{of(30), of(2)}, []string{"30 rows from [{0 [0]}]", "2 rows from [{1 [0]}]"}},
		"inputs without rows in between": {[]sheet{of(5), of(), of(5)}, []string{"10 rows from [{0 [0]} {2 [0]}]"}},
	} {
		t.Run(name, func(t *testing.T) {
			load := &lake.Load{Schema: &lake.Schema{Columns: cols(spec)}}
			for _, s := range c.inputs {
				load.Inputs = append(load.Inputs, lake.LoadFile{Open: s.open(t)})
			}
			ops, err := lake.PlanLoad(t.Context(), load, lake.Limits{TargetFileBytes: 100}, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, op := range ops {
				got = append(got, fmt.Sprintf("%d rows from %v", op.Outputs[0].Rows, op.Parts))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error("−want +got:\n", diff)
			}
		})
	}
}

// Lake files are loaded again, too: their partition columns stand in the directory.
func TestLoad_filesOfALake(t *testing.T) {
	s := lake.Schema{Columns: cols("id bigint, day date, v string"), Key: []string{"id"}, Partition: []string{"day"}, Op: true}
	load := &lake.Load{Schema: &s, Inputs: []lake.LoadFile{
		{Name: "a", Dir: "day=1970-01-02/", Open: sheet{columns: cols("Op string, id int, v string"), rows: [][]any{{"U", 1, "x"}, {"I", 2, "y"}}}.open(t)},
		{Name: "b", Dir: "day=" + lake.NullPartition + "/", Open: sheet{columns: cols("id int, Op string"), rows: [][]any{{3, "I"}}}.open(t)},
	}}
	ops, err := lake.PlanLoad(t.Context(), load, lake.Limits{TargetFileBytes: 1 << 20}, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"day=1970-01-02/": {"U 1 x", "I 2 y"}, "day=__HIVE_DEFAULT_PARTITION__/": {"I 3 NULL"}}
	if diff := cmp.Diff(want, loaded(t, load, ops)); diff != "" {
		t.Error("−want +got:\n", diff)
	}
}

func TestLoad_Run_refusesDeletes(t *testing.T) {
	for name, partition := range map[string][]string{"streamed": nil, "held": {"p"}} {
		in := changesSheet("id int, p int", []any{"I", 1, 1}, []any{"I", 3, 2}, []any{"D", 2, 1})
		load := &lake.Load{Schema: &lake.Schema{Columns: cols("id int, p int"), Partition: partition}, Inputs: []lake.LoadFile{{Name: "LOAD1", Open: in.open(t)}}}
		ops, err := lake.PlanLoad(t.Context(), load, lake.Limits{TargetFileBytes: 1 << 20}, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = load.Run(t.Context(), ops[0], &outputs{bodies: map[int]*bytes.Buffer{}, closed: map[int]bool{}})
		if got, want := fmt.Sprint(err), "LOAD1: a full load holds a row whose Op is D"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestLoad_CheckKeys(t *testing.T) {
	s := &lake.Schema{Columns: cols("a int, b string, p int"), Key: []string{"a", "b", "p"}, Partition: []string{"p"}}
	for name, c := range map[string]struct {
		in   sheet
		want error
	}{
		"all there":             {sheet{columns: cols("a int, b string"), rows: [][]any{{1, "x"}, {2, ""}}}, nil},
		"NULL":                  {sheet{columns: cols("a int, b string"), rows: [][]any{{1, "x"}, {1, "y"}, {1, nil}}, groups: []int{2}}, &lake.KeyError{File: "x", Column: "b", Row: 2}},
		"missing":               {sheet{columns: cols("b string"), rows: [][]any{{"x"}}}, &lake.KeyError{File: "x", Column: "a", Row: -1}},
		"missing, but no rows":  {sheet{columns: cols("b string")}, nil},
		"NULL in other columns": {sheet{columns: cols("a int, b string, c int"), rows: [][]any{{1, "x", nil}}}, nil},
	} {
		load := &lake.Load{Schema: s, Inputs: []lake.LoadFile{{Name: "x", Open: c.in.open(t)}}}
		if diff := cmp.Diff(c.want, dataError(load.CheckKeys(t.Context()))); diff != "" {
			t.Errorf("%s: −want +got:\n%s", name, diff)
		}
	}
}

func TestLoadSchema(t *testing.T) {
	for name, c := range map[string]struct {
		inputs []string
		base   lake.Schema
		widen  bool
		want   string // columns, or the error
	}{
		"nothing":                       {nil, lake.Schema{Key: []string{"id"}}, false, ""},
		"columns as they appear":        {[]string{"Op string, id int", "v string, id int, n int"}, lake.Schema{}, false, "id int, v string, n int"},
		"behind those of the base":      {[]string{"n int, id int"}, lake.Schema{Columns: cols("id int")}, false, "id int, n int"},
		"no before images":              {[]string{"id int, BI_id int"}, lake.Schema{}, false, "id int"},
		"a narrower type fits":          {[]string{"n bigint", "n int"}, lake.Schema{}, false, "n bigint"},
		"a wider type":                  {[]string{"n int", "n bigint"}, lake.Schema{}, false, `1: column "n": type bigint does not fit the lake's type int; acknowledge with --accept schema to rewrite the table to a wider type`},
		"a wider type that is accepted": {[]string{"n int", "n bigint", "n int"}, lake.Schema{}, true, "n bigint"},
		"a type that never fits":        {[]string{"n int", "n date"}, lake.Schema{}, true, `1: column "n": type date does not fit the lake's type int`},
		"names that differ by case":     {[]string{"n int", "N int"}, lake.Schema{}, false, `1: column "N": the name does not fit the lake's column "n", from which it differs only by case`},
		"key column missing":            {[]string{"n int"}, lake.Schema{Key: []string{"id"}}, false, `0: key column "id" is missing`},
		"partition column missing":      {[]string{"n int"}, lake.Schema{Partition: []string{"p"}}, false, `0: key column "p" is missing`},
		"key column in one of them":     {[]string{"n int", "id int"}, lake.Schema{Key: []string{"id"}}, false, "n int, id int"},
	} {
		t.Run(name, func(t *testing.T) {
			load := &lake.Load{}
			for i, spec := range c.inputs {
				load.Inputs = append(load.Inputs, lake.LoadFile{Name: fmt.Sprint(i), Open: sheet{columns: cols(spec)}.open(t)})
			}
			s, err := lake.LoadSchema(load, c.base, c.widen)
			var got []string
			for _, column := range s.Columns {
				got = append(got, column.Name+" "+lake.TypeName(column.Type))
			}
			if text := strings.Join(got, ", "); err == nil && text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
			if err != nil && err.Error() != c.want {
				t.Errorf("got %q, want %q", err, c.want)
			}
		})
	}
}

func TestLoad_SampleRow(t *testing.T) {
	var rows [][]any
	for i := range 1_000 {
		rows = append(rows, []any{fmt.Sprintf("%0100d", i*i*i%7919*7919)})
	}
	for name, c := range map[string]struct {
		inputs    []sheet
		low, high int64
	}{
		"nothing":                  {nil, 1, 1_000},
		"no rows":                  {[]sheet{{columns: cols("v string")}}, 1, 1_000},
		"long text":                {[]sheet{{columns: cols("v string"), rows: rows}}, 100, 140},
		"two files, the same text": {slices.Repeat([]sheet{{columns: cols("v string"), rows: rows, groups: []int{300}}}, 2), 50, 60},
	} {
		load := &lake.Load{Schema: &lake.Schema{Columns: cols("v string")}}
		for _, s := range c.inputs {
			load.Inputs = append(load.Inputs, lake.LoadFile{Open: s.open(t)})
		}
		if got, err := load.SampleRow(t.Context(), "none"); err != nil || got < c.low || got > c.high {
			t.Errorf("%s: got %d bytes, %v; want %d … %d", name, got, err, c.low, c.high)
		}
	}
}
