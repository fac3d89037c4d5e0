package replicate_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

func TestRuling12_ColumnsThatAFileLacks(t *testing.T) {
	load := []string{rowsOf("id, name, dept", "1, 'a', 'x'", "2, 'b', 'y'")}
	tests := map[string]story{
		"an update becomes NULL there, other rows keep it": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name`, "'U', 1, 'A'")},
			columns: "id, name, dept", want: []string{"1 A NULL", "2 b y"},
		},
		"an insert over a row becomes NULL there": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, dept`, "'I', 1, 'z'")},
			columns: "id, name, dept", want: []string{"1 NULL z", "2 b y"},
		},
		"a new row is NULL there": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id`, "'I', 3")},
			columns: "id, name, dept", want: []string{"1 a x", "2 b y", "3 NULL NULL"},
		},
		"a delete needs the key alone": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id`, "'D', 1")},
			columns: "id, name, dept", want: []string{"2 b y"},
		},
		"of two images of one key the last counts whole": {
			key: "id", loads: load, columns: "id, name, dept", want: []string{"1 NULL z", "2 b y"},
			changes: []string{rowsOf(`"Op", id, name`, "'U', 1, 'A'"), rowsOf(`"Op", id, dept`, "'U', 1, 'z'")},
		},
		"a file of ours for new rows does not forget the column": {
			key: "id", partition: "dept", loads: load, changes: []string{rowsOf(`"Op", id, dept`, "'I', 3, 'new'")},
			columns: "id, name, dept", want: []string{"1 a x", "2 b y", "3 NULL new"},
		},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) { s.play(t) })
	}
}

func TestRuling13_BeforeImages(t *testing.T) {
	load := []string{rowsOf("id, name", "1, 'a'", "2, 'b'", "3, 'c'")}
	pairs := []string{rowsOf("a, b, v", "1, 1, 'p'", "1, 2, 'q'")}
	tests := map[string]story{
		"a key update deletes the old key": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name, "BI_id", "BI_name"`, "'U', 10, 'A', 1, 'a'")},
			columns: "*", want: []string{"I 2 b", "I 3 c", "U 10 A"},
		},
		"NULL means unchanged": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name, "BI_id"`, "'U', 1, 'A', NULL::int")},
			columns: "id, name", want: []string{"1 A", "2 b", "3 c"},
		},
		"an image equal to the key deletes nothing": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name, "BI_id"`, "'U', 1, 'A', 1")},
			columns: "id, name", want: []string{"1 A", "2 b", "3 c"},
		},
		"a column that merely begins with BI_ stays data": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name, "BI_score"`, "'U', 1, 'A', 7")},
			columns: `id, name, "BI_score"`, want: []string{"1 A 7", "2 b NULL", "3 c NULL"},
		},
		"one column of a composite key changed": {
			key: "a,b", loads: pairs, changes: []string{rowsOf(`"Op", a, b, v, "BI_a", "BI_b"`, "'U', 2, 1, 'P', 1, NULL::int")},
			columns: "a, b, v", want: []string{"1 2 q", "2 1 P"},
		},
		"two rows swap keys over a spare one": {
			key: "id", loads: load, columns: "id, name", want: []string{"1 b", "2 a", "3 c"},
			changes: []string{rowsOf(`"Op", id, name, "BI_id"`, "'U', 99, 'a', 1", "'U', 1, 'b', 2", "'U', 2, 'a', 99")},
		},
		"two rows swap keys as deletes and inserts": {
			key: "id", loads: load, columns: "id, name", want: []string{"1 b", "2 a", "3 c"},
			changes: []string{rowsOf(`"Op", id, name`, "'D', 1, 'a'", "'D', 2, 'b'", "'I', 2, 'a'", "'I', 1, 'b'")},
		},
		"two rows in two partitions swap keys": {
			key: "id", partition: "name", loads: load, columns: "id, name", want: []string{"1 b", "2 a", "3 c"},
			changes: []string{rowsOf(`"Op", id, name, "BI_id"`, "'U', 99, 'a', 1", "'U', 1, 'b', 2", "'U', 2, 'a', 99")},
		},
		"a chain of key updates leaves the last key": {
			key: "id", loads: load, columns: "id, name", want: []string{"12 z", "2 b", "3 c"},
			changes: []string{
				rowsOf(`"Op", id, name, "BI_id"`, "'U', 10, 'x', 1", "'U', 11, 'y', 10"),
				rowsOf(`"Op", id, name, "BI_id"`, "'U', 12, 'z', 11"),
			},
		},
		"the old key is used again behind the update": {
			key: "id", loads: load, columns: "id, name", want: []string{"1 new", "10 a", "2 b", "3 c"},
			changes: []string{rowsOf(`"Op", id, name, "BI_id"`, "'U', 10, 'a', 1", "'I', 1, 'new', NULL::int")},
		},
		"images in a full load are not written": {
			key: "id", loads: []string{rowsOf(`id, name, "BI_id"`, "1, 'a', NULL::int")},
			columns: "*", want: []string{"I 1 a"},
		},
	}
	for name, s := range tests {
		s.columns = textFirst(s.columns)
		t.Run(name, func(t *testing.T) { s.play(t) })
	}
}

// textFirst makes the id sort as text, so that what is wanted can be written in one order.
func textFirst(columns string) string {
	if columns == "id, name" {
		return "id::text, name"
	}
	return columns
}

func TestRuling13_BeforeImagePrefixIsTheTables(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf(`id, name, "BI_name"`, "1, 'a', 'was data'", "2, 'b', 'no data'"))
	w.wantRows("id, name", "1 a", "2 b")
	w = newWorld(t)
	w.loadOf(1, rowsOf(`id, name, "BI_name"`, "1, 'a', 'data'", "2, 'b', 'data'"))
	w.run(storyTable, replicate.Registered)
	w.set(storyPath, map[string]string{statestore.BeforeImagePrefix: "OLD_"})
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Loaded)
	w.changeOf(rowsOf(`"Op", id, name, "BI_name", "OLD_id"`, "'U', 10, 'A', 'more', 1"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("*", "I 2 b data", "U 10 A more")
}

func TestRuling14_NewColumnsComeLast(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, name", "1, 'a'", "2, 'b'"))
	w.changeOf(rowsOf(`"Op", first, id, middle, name`, "'U', 'f', 1, 'm', 'A'"))
	w.changeOf(rowsOf(`"Op", later, id, name, middle`, "'I', 'l', 3, 'c', 'n'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, name, first, middle, later", "1 A f m NULL", "2 b NULL NULL NULL", "3 c NULL n l")
	want := []string{"Op", "id", "name", "first", "middle", "later"}
	for _, file := range w.files(storyFolder) {
		got := rig.DuckDB(t).Columns("select * from read_parquet(?)", filepath.Join(w.root, "lake", file))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("columns of %s (-want +got):\n%s", file, diff)
		}
	}
}
