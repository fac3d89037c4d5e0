package lake_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// The fold of a random run of changes, cut into files at random, equals a naive
// map; keys whose last change is in a consumed input are left out.
func TestFold_equalsANaiveMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		run, inputs := m.drawChanges(t)
		context := map[int]bool{}
		for i := range inputs {
			context[i] = rapid.IntRange(0, 3).Draw(t, "context") == 0
		}
		var want []string
		for _, c := range m.fold(run) {
			if !context[c.input] {
				want = append(want, m.netLine(c.op, m.values(c.cells)))
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, m.netOf(t, m.changes(t, inputs, context))); diff != "" {
			t.Fatal("−want +got:\n", diff)
		}
	})
}

func (m *model) values(cells []int) []parquet.Value {
	values := make([]parquet.Value, len(cells))
	for c, n := range cells {
		values[c] = sample(m.schema.Columns[c].Type, n)
	}
	return values
}

// netLine prints a net change. A delete is its key, and the value that it is ordered by.
func (m *model) netLine(op string, row []parquet.Value) string {
	row = slices.Clone(row)
	for c := range row {
		if op == "D" && !m.isKey(c) && m.schema.Columns[c].Name != m.order {
			row[c] = parquet.NullValue()
		}
	}
	return op + " " + m.print(row)
}

// netOf reads net changes from the object of a merge into an empty lake.
func (m *model) netOf(tb rapid.TB, changes *lake.Changes) []string {
	tb.Helper()
	columns := readAll(tb, openBody(tb, changesObject(tb, planned(tb, changes, nil))))
	var net []string
	for r := range columns[0] {
		var row []parquet.Value
		for _, column := range columns[3:] {
			row = append(row, column[r])
		}
		op := string(columns[2][r].ByteArray())
		if columns[0][r].Int32() == 0 {
			op = "D"
		}
		net = append(net, m.netLine(op, row))
	}
	slices.Sort(net)
	return net
}

// readBack folds a changes object.
func readBack(object *parquetedit.File, s *lake.Schema, order string, spans []lake.Span) (*lake.Changes, error) {
	in, err := lake.ChangesInput(object, spans)
	if err != nil {
		return nil, err
	}
	fold, err := lake.NewFold(s, lake.FoldOptions{OrderColumn: order})
	if err != nil {
		return nil, err
	}
	if err := fold.Add(context.Background(), in); err != nil {
		return nil, err
	}
	return fold.Net()
}

// What is read back from a changes object are the same net changes, whatever the plan made of
// them: moves, deletes of rows that were not there, rows already so, stale changes. Planned onto the lake as it was they
// give the same rows; onto the lake behind the merge they change nothing.
func TestChangesInput_areTheSameNetChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		run, inputs := m.drawChanges(t)
		files := m.inMemory()
		want := m.predict(run)
		changes := m.changes(t, inputs, nil)
		first := m.plan(t, changes, files)
		object := changesObject(t, first)
		again, err := readBack(openBody(t, object), &m.schema, m.order, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.netOf(t, changes), m.netOf(t, again)); diff != "" {
			t.Fatal("net changes, −folded +read back:\n", diff)
		}
		second := m.plan(t, again, files)
		if second.Counts != first.Counts {
			t.Fatalf("counts: folded %+v, read back %+v", first.Counts, second.Counts)
		}
		after := m.apply(t, second, files)
		want.check(t, m, after)
		third := m.plan(t, again, after)
		if len(third.Creates)+len(third.Rewrites) > 0 {
			t.Fatalf("planned onto the lake behind the merge: %+v", third.Counts)
		}
	})
}

// A delete came back without its value of the order column, which made it lower than every row.
func TestChangesInput_deletesKeepTheValueTheyAreOrderedBy(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, seq string"), Key: []string{"id"}}
	fold, err := lake.NewFold(s, lake.FoldOptions{OrderColumn: "seq"})
	if err != nil {
		t.Fatal(err)
	}
	in := changesSheet("id int, seq string", []any{"D", 1, "b"}, []any{"D", 2, "b"})
	if err := fold.Add(t.Context(), lake.Input{Reader: in.reader(t)}); err != nil {
		t.Fatal(err)
	}
	rows := sheet{columns: cols("id int, seq string"), rows: [][]any{{1, "a"}}}
	object := changesObject(t, planned(t, ended(t, fold), []*lakeFile{stored(t, "one", "", rows)}))
	again, err := readBack(openBody(t, object), s, "seq", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := planned(t, again, []*lakeFile{stored(t, "one", "", rows)})
	if want := (lake.MergeCounts{Deletes: 1}); got.Counts != want {
		t.Errorf("got %+v, want %+v", got.Counts, want)
	}
}

// A key-less table's rows come back from the spans that are asked for alone.
func TestChangesInput_keylessSpans(t *testing.T) {
	s := &lake.Schema{Columns: cols("p int, v string"), Partition: []string{"p"}}
	changes := folded(t, s, changesSheet("p int, v string", []any{"I", 2, "c"}, []any{"I", 1, "a"}, []any{"I", 1, "b"}, []any{"I", 3, "d"}))
	var object bytes.Buffer
	spans, err := planned(t, changes, nil).WriteChanges(t.Context(), &object)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spans []lake.Span
		want  []string
	}{
		"all":         {spans, []string{"I 1 a", "I 1 b", "I 2 c", "I 3 d"}},
		"the first":   {spans[:1], []string{"I 1 a", "I 1 b"}},
		"but for one": {[]lake.Span{spans[0], spans[2]}, []string{"I 1 a", "I 1 b", "I 3 d"}},
		"none":        {nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readBack(openBody(t, object.Bytes()), s, "", c.spans)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, netLines(t, got)); diff != "" {
				t.Error("−want +got:\n", diff)
			}
		})
	}
}

func TestChangesInput_columnsThatTheObjectLacksAreNULL(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int"), Key: []string{"id"}}
	object := changesObject(t, planned(t, folded(t, s, changesSheet("id int", []any{"I", 1}, []any{"D", 2})), nil))
	wider := &lake.Schema{Columns: cols("id int, v string"), Key: []string{"id"}}
	got, err := readBack(openBody(t, object), wider, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"I 1 NULL", "D 2 NULL"}, netLines(t, got)); diff != "" {
		t.Error("−want +got:\n", diff)
	}
}

// An op of many rows lies in more than one row group of the object, and two small ones in the same.
func TestReadSlice_overRowGroups(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, p int"), Key: []string{"id"}, Partition: []string{"p"}}
	var rows [][]any
	for id := range 40_000 {
		rows = append(rows, []any{"I", id, max(id-30_000, 0) / 5_000})
	}
	merge := planned(t, folded(t, s, changesSheet("id int, p int", rows...)), nil)
	var object bytes.Buffer
	spans, err := merge.WriteChanges(t.Context(), &object)
	if err != nil {
		t.Fatal(err)
	}
	open := openBody(t, object.Bytes())
	next := 0
	for i, span := range spans {
		slice, err := lake.ReadSlice(t.Context(), open, s, span)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := slice.Create(&body, lake.FileOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, id := range readAll(t, openBody(t, body.Bytes()))[0] {
			if int(id.Int32()) != next {
				t.Fatalf("create %d (%s): got %d, want %d", i, merge.Creates[i].Dir, id.Int32(), next)
			}
			next++
		}
	}
	if next != 40_000 {
		t.Errorf("got %d rows", next)
	}
	if _, err := lake.ReadSlice(t.Context(), open, s, lake.Span{From: 39_990, To: 40_001}); err == nil {
		t.Error("a span beyond the end: no error")
	}
}
