package replicate_test

import (
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// The tests named TestLife are those of docs/LIFE.md that no ruling has.

// changeCalled writes a CDC file of store.t under a name, dated now.
func (w *world) changeCalled(name, query string) {
	w.t.Helper()
	w.write("raw", "store/t/"+name+".parquet", query)
}

// TestLife_UpdatesOfKeysThatAreNotThere: behind the day in which changes may overlap the full load, an update whose key the lake does not
// have is counted, whatever else happens to other keys.
func TestLife_UpdatesOfKeysThatAreNotThere(t *testing.T) {
	later := func(w *world) { w.pass(25 * time.Hour) }
	for _, test := range []struct {
		name    string
		before  func(w *world)
		changes []string
		strays  int64
		want    []string
	}{
		{"while changes may overlap the load", nil, []string{"'U', 9, 'x'"}, 0, []string{"1 a", "2 b", "9 x"}},
		{"a day later", later, []string{"'U', 9, 'x'"}, 1, []string{"1 a", "2 b", "9 x"}},
		{"several times", later, []string{"'U', 9, 'x'", "'U', 9, 'y'", "'U', 8, 'z'"}, 2, []string{"1 a", "2 b", "8 z", "9 y"}},
		{"of a key that is there", later, []string{"'U', 1, 'A'", "'U', 2, 'b'"}, 0, []string{"1 A", "2 b"}},
		{"behind its insert", later, []string{"'I', 9, 'x'", "'U', 9, 'y'"}, 0, []string{"1 a", "2 b", "9 y"}},
		{"before its insert", later, []string{"'U', 9, 'x'", "'I', 9, 'y'"}, 0, []string{"1 a", "2 b", "9 y"}},
		{"and deleted", later, []string{"'U', 9, 'x'", "'D', 9, NULL"}, 0, []string{"1 a", "2 b"}},
		{"deleted and updated", later, []string{"'D', 1, NULL", "'U', 1, 'A'"}, 0, []string{"1 A", "2 b"}},
		{"a key that changed without a before image leaves its old row", later, []string{"'U', 10, 'a'"}, 1, []string{"1 a", "10 a", "2 b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
			if test.before != nil {
				test.before(w)
			}
			w.changeOf(rowsOf(`"Op", id, v`, test.changes...))
			got := w.run(storyTable, replicate.Merged)
			if got.Strays != test.strays {
				t.Errorf("%d strays, want %d", got.Strays, test.strays)
			}
			w.wantRows("id::text, v", test.want...)
		})
	}
	t.Run("with a before image", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		later(w)
		w.changeOf(rowsOf(`"Op", id, v, "BI_id"`, "'U', 10, 'a', 1", "'U', 11, 'new', NULL"))
		if got := w.run(storyTable, replicate.Merged); got.Strays != 1 || got.Inserts != 2 || got.Deletes != 1 {
			t.Errorf("%+v", got.Counts)
		}
		w.wantRows("id, v", "10 a", "11 new")
	})
	t.Run("of a table without a full load nobody knows", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "")
		later(w)
		w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'a'"))
		if got := w.run(storyTable, replicate.Merged); got.Strays != 0 {
			t.Errorf("%d strays", got.Strays)
		}
	})
	t.Run("of a batch that is folded in parts", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		later(w)
		w.cramped = 4 << 10
		w.changeOf(rowsOf(`"Op", id, v`, "'U', 9, 'x'", "'U', 1, 'A'"))
		w.changeOf(rowsOf(`"Op", id, v`, "'U', 7, 'y'", "'I', 8, 'z'"))
		if got := w.run(storyTable, replicate.Merged); got.Strays != 2 {
			t.Errorf("%d strays, want 2", got.Strays)
		}
	})
}

// TestLife_ChangesThatOverlapTheLoad: rows that were changed while the table was loaded are in the full load already, or are not: either way
// the last change counts.
func TestLife_ChangesThatOverlapTheLoad(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'new'", "2, 'b'", "3, 'inserted'", "5, 'left over'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'new'", "'I', 3, 'inserted'", "'D', 4, NULL", "'D', 5, NULL", "'U', 6, 'gone'", "'D', 6, NULL", "'I', 7, 'c'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.tick()
	w.wantRows("id, v", "1 new", "2 b", "3 inserted", "7 c")
	w.run(storyTable, replicate.Idle)
}

// TestLife_TwoFilesOfOneMillisecond: files whose names are one time are ordered by the bytes of their keys, and none is passed over.
func TestLife_TwoFilesOfOneMillisecond(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.pass(time.Hour)
	w.changeCalled("20260314-130000123", rowsOf(`"Op", id, v`, "'U', 1, 'first'", "'I', 2, 'x'"))
	w.run(storyTable, replicate.Merged)
	w.changeCalled("20260314-1300001230", rowsOf(`"Op", id, v`, "'U', 1, 'second'", "'I', 3, 'y'"))
	w.changeCalled("2026/03/14/20260314-130000123", rowsOf(`"Op", id, v`, "'I', 4, 'z'"))
	w.run(storyTable, replicate.Merged)
	w.pass(12 * time.Hour) // folders that are new sort before where listings begin: the day's first run sees them
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 second", "2 x", "3 y", "4 z")
	w.run(storyTable, replicate.Idle)
}

// TestLife_AClockThatStepsBack: a file that is newer than its name is a late one: its changes count for the keys that no file of a later name
// mentions. Where changes say themselves which is the later one, all of them are right.
func TestLife_AClockThatStepsBack(t *testing.T) {
	for order, want := range map[string][]string{"": {"1 before", "2 behind"}, "seq": {"1 behind", "2 behind"}} {
		t.Run("ordered by "+order, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v, seq", "1, 'a', '1'", "2, 'b', '1'"))
			w.set(storyPath, map[string]string{statestore.OrderColumn: order})
			w.pass(time.Hour)
			w.changeCalled("20260314-130030000", rowsOf(`"Op", id, v, seq`, "'U', 1, 'before', '2'"))
			w.run(storyTable, replicate.Merged)
			w.pass(time.Minute)
			w.changeCalled("20260314-130010000", rowsOf(`"Op", id, v, seq`, "'U', 1, 'behind', '3'", "'U', 2, 'behind', '3'"))
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", want...)
			w.run(storyTable, replicate.Idle)
		})
	}
}

// TestLife_TheHourThatComesTwice: in names of local time an hour of October comes twice. Its files are read, each once, as if the clock had been
// set back; in March an hour is missing, which nobody notices.
func TestLife_TheHourThatComesTwice(t *testing.T) {
	for order, want := range map[string][]string{"": {"1 summer", "2 winter", "3 later"}, "seq": {"1 winter", "2 winter", "3 later"}} {
		t.Run("ordered by "+order, func(t *testing.T) {
			w := newWorld(t)
			w.pass(time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC).Sub(w.now()))
			w.begin("id", "", rowsOf("id, v, seq", "1, 'a', '1'", "2, 'b', '1'"))
			w.set(storyPath, map[string]string{statestore.InputTimezone: "Europe/Berlin", statestore.OrderColumn: order})
			w.pass(time.Date(2026, 10, 25, 0, 31, 0, 0, time.UTC).Sub(w.now()))
			w.changeCalled("20261025-023000000", rowsOf(`"Op", id, v, seq`, "'U', 1, 'summer', '2'"))
			w.run(storyTable, replicate.Merged)
			w.pass(time.Date(2026, 10, 25, 1, 11, 0, 0, time.UTC).Sub(w.now()))
			w.changeCalled("20261025-021000000", rowsOf(`"Op", id, v, seq`, "'U', 1, 'winter', '3'", "'U', 2, 'winter', '3'"))
			w.run(storyTable, replicate.Merged)
			w.pass(time.Hour)
			w.changeCalled("20261025-031000000", rowsOf(`"Op", id, v, seq`, "'I', 3, 'later', '4'"))
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", want...)
			w.run(storyTable, replicate.Idle)
		})
	}
}

// TestLife_KeysThatAreNULL halt and name file, column and row; other tables are not asked.
func TestLife_KeysThatAreNULL(t *testing.T) {
	t.Run("in a change", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, v", "1, 'a'"))
		key := w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'b'", "'U', NULL, 'c'"))
		w.wantHalt("key", key, `"id"`)
		w.wantRows("id, v", "1 a")
		w.write("raw", key, rowsOf(`"Op", id, v`, "'I', 2, 'b'"))
		w.acknowledge("")
		w.run(storyTable, replicate.Merged)
		w.wantRows("id, v", "1 a", "2 b")
	})
	t.Run("in a full load", func(t *testing.T) {
		w := newWorld(t)
		key := w.loadOf(1, rowsOf("id, v", "1, 'a'", "NULL, 'b'"))
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "id", "")
		w.wantHalt("key", key, `"id"`)
	})
}

// TestLife_ATableThatIsDroppedAndCreatedAgain: the folder vanishes, which halts, and a full load that comes later clears that by itself.
func TestLife_ATableThatIsDroppedAndCreatedAgain(t *testing.T) {
	w := newWorld(t)
	load := w.loadOf(1, rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Loaded)
	change := w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	w.drop("raw", load)
	w.drop("raw", change)
	w.wantHalt("vanished", load, change, "--accept truncate")
	w.wantRows("id, v", "1 A", "2 b")
	w.pass(time.Hour)
	w.loadOf(1, rowsOf("id, v, more", "7, 'new', 1"))
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v, more", "7 new 1")
	w.run(storyTable, replicate.Idle)
}
