package replicate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// TestDefect03 delivers the rows of a file in either order: the ancestor's window orders by file name alone.
func TestDefect03_TwoChangesOfOneKeyInOneFileAreOrderedArbitrarily(t *testing.T) {
	cases := []struct {
		name         string
		changes      []dmsgen.Change
		wrong, right []string
	}{
		{"two updates", []dmsgen.Change{update(1, "b", "x"), update(1, "c", "x")}, []string{"U 1 b x"}, []string{"U 1 c x"}},
		{"delete and insert", []dmsgen.Change{remove(1, "a", "x"), insert(1, "c", "x")}, nil, []string{"I 1 c x"}},
		{"insert and delete", []dmsgen.Change{insert(2, "b", "x"), remove(2, "b", "x")}, []string{"I 1 a x", "I 2 b x"}, []string{"I 1 a x"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := newVersus(t, product())
			v.load(v.table, []any{1, "a", "x"})
			v.begin()
			v.both()
			v.change(v.table, c.changes...)
			v.sample.reversed = true
			v.both()
			v.wantWrong(c.wrong...)
			v.wantRight(c.right...)
		})
	}
}

func TestDefect07_TheFirstBatchWithoutATargetKeepsOnlyInserts(t *testing.T) {
	v := newVersus(t, product())
	v.change(v.table, insert(1, "a", "x"), update(1, "A", "x"), insert(2, "b", "x"), remove(2, "b", "x"), update(3, "c", "x"))
	v.begin()
	v.both()
	v.wantWrong("I 1 a x", "I 2 b x")
	v.wantRight("U 1 A x", "U 3 c x")
}

// TestDefect08 merges a file without the column dept: the source dropped it, or it is not in the supplemental log.
func TestDefect08_ColumnsAbsentFromABatchAreDroppedFromRewrittenRows(t *testing.T) {
	v := newVersus(t, product())
	v.load(v.table, []any{1, "a", "x"}, []any{2, "b", "y"})
	v.begin()
	v.both()
	narrow := v.table
	narrow.Columns = narrow.Columns[:2]
	v.change(narrow, update(1, "A"))
	v.both()
	v.wantWrong("I 2 b NULL", "U 1 A NULL")
	v.wantRight("I 2 b y", "U 1 A NULL")
}

// TestDefect09 changes one row of a lake of twenty files. sluice did so, too, as
// long as the index did not know the keys of the files that a load had made.
func TestDefect09_TheWholeTargetIsScannedToFindTouchedFiles(t *testing.T) {
	const files = 20
	v := newVersus(t, product(), "dept")
	v.columns = []string{"Op", "id", "name"}
	var rows [][]any
	for i := range 10 * files {
		rows = append(rows, []any{i, "a", fmt.Sprintf("d%02d", i/10)})
	}
	v.load(v.table, rows...)
	v.begin()
	v.both()
	v.change(v.table, update(7, "changed", "d00"))
	var mu sync.Mutex
	read := map[string]bool{}
	v.hook("lake").get = func(key string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(key, "product/") {
			read[key] = true
		}
	}
	v.sample.scanned = 0
	got := v.both()
	if v.sample.scanned != files {
		t.Errorf("the ancestor read %d files, want all %d", v.sample.scanned, files)
	}
	if len(read) != 1 || got.FilesRewritten != 1 || got.FilesUntouched != files-1 {
		t.Errorf("sluice read %d files, rewrote %d, left %d alone", len(read), got.FilesRewritten, got.FilesUntouched)
	}
	if !slices.Contains(v.rows("product", `"Op", id, name`), "U 7 changed") {
		t.Error("the change is not in sluice's lake")
	}
}

func TestDefect12_APrimaryKeyUpdateLeavesTheOldRow(t *testing.T) {
	v := newVersus(t, product())
	v.load(v.table, []any{1, "a", "x"}, []any{2, "b", "x"})
	v.begin()
	v.both()
	v.pass(time.Minute)
	settings := dmsgen.DefaultSettings()
	settings.BeforeImages = dmsgen.KeyImages
	moved := dmsgen.Change{Op: dmsgen.Update, Before: []any{1, "a", "x"}, Row: []any{7, "a", "x"}}
	if _, err := v.writer(settings).WriteChanges(t.Context(), v.table, v.now(), moved); err != nil {
		t.Fatal(err)
	}
	got := v.both()
	v.wantWrong("I 1 a x", "I 2 b x", "U 7 a x")
	v.wantRight("I 2 b x", "U 7 a x")
	if got.Inserts != 1 || got.Deletes != 1 {
		t.Errorf("counts: %+v", got.Counts)
	}
}

func TestDefect12_AnEmptiedPartitionLeavesNothingRecorded(t *testing.T) {
	v := newVersus(t, product(), "dept")
	v.load(v.table, []any{1, "a", "x"}, []any{2, "b", "y"})
	v.begin()
	v.both()
	v.change(v.table, remove(2, "b", "y"))
	got := v.both()
	for _, f := range v.sample.lake {
		if strings.HasPrefix(f.name, "dept=y/") {
			t.Errorf("the ancestor's lake has %s", f.name)
		}
	}
	if got.FilesEmptied != 1 || got.Action != replicate.Merged {
		t.Errorf("sluice: %s, emptied %d", got.Action, got.FilesEmptied)
	}
	// A file without rows stays, with the columns: the partition can be read, and the index knows of it.
	files := v.files("product/dept=y")
	if len(files) != 1 {
		t.Fatalf("files of the emptied partition: %v", files)
	}
	if rows := v.rows("product/dept=y", `"Op", id, name`); len(rows) != 0 {
		t.Errorf("rows of the emptied partition: %v", rows)
	}
	v.wantRight("I 1 a x")
	v.run(v.name(), replicate.Idle)
}
