package replicate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// ordered is a table whose column seq orders its changes; its type is the caller's.
func ordered(of string) dmsgen.Table {
	return dmsgen.Table{
		Schema: "store", Name: "ordered", Key: []string{"id"},
		Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}, {Name: "seq", Type: of}},
	}
}

const orderedPath = "raw/store/ordered/"

// startOrdered loads the rows of table ordered and activates it with its order column.
func (w *world) startOrdered(t dmsgen.Table, rows ...[]any) {
	w.t.Helper()
	w.load(t, rows...)
	key, order := "id", "seq"
	_, err := w.engine().Activate(w.t.Context(), "store.ordered", replicate.Activation{PrimaryKey: &key, OrderColumn: &order})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run("store.ordered", replicate.Loaded)
}

// TestRuling09_OrderColumn has one row in the lake and folds one or two files into it, both in one
// run and in a run each.
func TestRuling09_OrderColumn(t *testing.T) {
	cases := []struct {
		name  string
		of    string // type of seq
		row   []any  // in the lake; nil = none
		files [][]dmsgen.Change
		want  []string
		stale int64 // when each file has a run of its own
	}{
		{"higher wins over the lake", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{update(1, "b", "6")}}, []string{"1 b 6"}, 0},
		{"equal wins over the lake", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{update(1, "b", "5")}}, []string{"1 b 5"}, 0},
		{"lower is stale", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{update(1, "b", "4")}}, []string{"1 a 5"}, 1},
		{"NULL is lower than any", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{update(1, "b", nil)}}, []string{"1 a 5"}, 1},
		{"empty text is lower than any", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{update(1, "b", "")}}, []string{"1 a 5"}, 1},
		{"NULL in the lake, as loads have it", "text", []any{1, "a", nil}, [][]dmsgen.Change{{update(1, "b", "0")}}, []string{"1 b 0"}, 0},
		{"empty text in the lake, as loads have it", "text", []any{1, "a", ""}, [][]dmsgen.Change{{update(1, "b", nil)}}, []string{"1 b NULL"}, 0},
		{"NULL in the lake and empty text", "text", []any{1, "a", nil}, [][]dmsgen.Change{{update(1, "b", "")}}, []string{"1 b "}, 0},
		{"insert of a key that is there", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{insert(1, "b", "4")}}, []string{"1 a 5"}, 1},
		{"delete above", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{remove(1, "b", "6")}}, nil, 0},
		{"delete that is equal", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{remove(1, "b", "5")}}, nil, 0},
		{"stale delete", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{remove(1, "b", "4")}}, []string{"1 a 5"}, 1},
		{"delete without a value", "text", []any{1, "a", "5"}, [][]dmsgen.Change{{remove(1, "b", nil)}}, []string{"1 a 5"}, 1},
		{
			"file order decides where values are equal", "text", nil,
			[][]dmsgen.Change{{insert(1, "b", "5")}, {update(1, "c", "5")}},
			[]string{"1 c 5"},
			0,
		},
		{
			"row order decides where values are equal", "text", nil,
			[][]dmsgen.Change{{insert(1, "b", "5"), update(1, "c", "5")}},
			[]string{"1 c 5"},
			0,
		},
		{
			"value decides over row order", "text", nil,
			[][]dmsgen.Change{{insert(1, "b", "6"), update(1, "c", "5")}},
			[]string{"1 b 6"},
			0,
		},
		{
			"value decides over file order", "text", nil,
			[][]dmsgen.Change{{insert(1, "b", "6")}, {update(1, "c", "5")}},
			[]string{"1 b 6"},
			1,
		},
		{
			"value decides over a delete of a later file", "text", nil,
			[][]dmsgen.Change{{insert(1, "b", "6")}, {remove(1, "c", "5")}},
			[]string{"1 b 6"},
			1,
		},
		{"text of other length", "text", []any{1, "a", "10"}, [][]dmsgen.Change{{update(1, "b", "9")}}, []string{"1 b 9"}, 0},
		{"numbers are compared as numbers", "bigint", []any{1, "a", 10}, [][]dmsgen.Change{{update(1, "b", 9)}}, []string{"1 a 10"}, 1},
		{"negative numbers", "int", []any{1, "a", -1}, [][]dmsgen.Change{{update(1, "b", -2)}}, []string{"1 a -1"}, 1},
		{"decimals", "numeric(10,2)", []any{1, "a", "9.50"}, [][]dmsgen.Change{{update(1, "b", "10.00")}}, []string{"1 b 10.00"}, 0},
		{"negative decimals", "numeric(30,2)", []any{1, "a", "-9.50"}, [][]dmsgen.Change{{update(1, "b", "-10.00")}}, []string{"1 a -9.50"}, 1},
		{
			"times", "timestamp",
			[]any{1, "a", "2026-01-02 00:00:00"},
			[][]dmsgen.Change{{update(1, "b", "2026-01-01 00:00:00")}},
			[]string{"1 a 2026-01-02 00:00:00.000000"},
			1,
		},
		{"dates before 1970", "date", []any{1, "a", "1969-12-31"}, [][]dmsgen.Change{{update(1, "b", "1969-12-30")}}, []string{"1 a 1969-12-31"}, 1},
		{"doubles", "double", []any{1, "a", -0.5}, [][]dmsgen.Change{{update(1, "b", -1.5)}}, []string{"1 a -0.5"}, 1},
	}
	for _, together := range []bool{false, true} {
		for _, c := range cases {
			t.Run(map[bool]string{true: "one run: ", false: "a run each: "}[together]+c.name, func(t *testing.T) {
				w := newWorld(t)
				table := ordered(c.of)
				rows := [][]any{{99, "other", nil}}
				if c.row != nil {
					rows = append(rows, c.row)
				}
				w.startOrdered(table, rows...)
				var stale int64
				for i, changes := range c.files {
					w.change(table, changes...)
					if !together || i == len(c.files)-1 {
						stale += w.run("store.ordered", replicate.Merged).Stale
					}
				}
				if !together && stale != c.stale {
					t.Errorf("counted %d stale, want %d", stale, c.stale)
				}
				want := append(c.want, "99 other NULL")
				if diff := cmp.Diff(want, w.rows("ordered", "id, name, seq")); diff != "" {
					t.Errorf("lake (-want +got):\n%s", diff)
				}
				w.unchanged("store.ordered", orderedPath)
			})
		}
	}
}

// TestRuling09_Late folds a late file by the order column, too: its value outranks the order of files.
func TestRuling09_Late(t *testing.T) {
	w := newWorld(t)
	table := ordered("text")
	w.startOrdered(table, []any{1, "a", ""}, []any{2, "b", ""})
	w.pass(3 * time.Minute)
	w.changeAt(table, noon.Add(3*time.Minute), update(1, "later", "5"), update(2, "later", "5"))
	w.run("store.ordered", replicate.Merged)
	w.changeAt(table, noon.Add(2*time.Minute), update(1, "late", "6"), update(2, "late", "4"))
	w.run("store.ordered", replicate.Merged)
	if diff := cmp.Diff([]string{"1 late 6", "2 later 5"}, w.rows("ordered", "id, name, seq")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
}

// TestRuling09_SequenceColumn uses what DMS offers for it: $AR_H_CHANGE_SEQ, NULL in loads.
func TestRuling09_SequenceColumn(t *testing.T) {
	w := newWorld(t)
	s := dmsgen.DefaultSettings()
	s.SequenceColumn = "seq"
	w.loadAs(s, w.now(), []any{1, "a", ""}, []any{2, "b", ""})
	key, order := "id", "seq"
	_, err := w.engine().Activate(t.Context(), "store.product", replicate.Activation{PrimaryKey: &key, OrderColumn: &order})
	if err != nil {
		t.Fatal(err)
	}
	w.run("store.product", replicate.Loaded)
	w.pass(time.Minute)
	w.changeAs(s, w.now(), update(1, "first", ""), update(1, "second", ""), remove(2, "b", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 second")
	if got := w.rows("product", "length(seq)"); len(got) != 1 || got[0] != "35" {
		t.Errorf("the column's text has %v characters, want 35: it stays in the lake", got)
	}
	w.pass(time.Minute) // an older change under a later name, as another task on the same table may write
	w.moveRaw(w.changeAs(s, noon, update(1, "older", "")), "store/product/20260314-120200000.parquet")
	if got := w.run("store.product", replicate.Merged); got.Stale != 1 || got.FilesRewritten != 0 {
		t.Errorf("%d stale, %d files rewritten, want 1 and 0", got.Stale, got.FilesRewritten)
	}
	w.wantProduct("1 second")
}

// TestRuling09_NothingIsMappedByDefault leaves the order to files and rows where no column is set.
func TestRuling09_NothingIsMappedByDefault(t *testing.T) {
	w := newWorld(t)
	table := ordered("bigint")
	w.load(table, []any{1, "a", 9})
	w.activate("store.ordered", "id", "")
	w.run("store.ordered", replicate.Loaded)
	w.change(table, update(1, "b", 5), update(1, "c", 1))
	w.run("store.ordered", replicate.Merged)
	if diff := cmp.Diff([]string{"1 c 1"}, w.rows("ordered", "id, name, seq")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
}
