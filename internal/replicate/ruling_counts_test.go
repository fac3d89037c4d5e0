package replicate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/statestore"
)

func TestRuling17_DuplicateKeysInTheLake(t *testing.T) {
	overlap := []string{rowsOf("id, p, v", "1, 'x', 'a'", "2, 'x', 'b'", "3, 'x', 'c'"), rowsOf("id, p, v", "1, 'x', 'a'", "2, 'y', 'B'", "1, 'x', 'a'")}
	tests := map[string]struct {
		partition, change string
		counts            replicate.Counts
		want              []string
	}{
		"an upsert leaves one": {
			"", rowsOf(`"Op", id, p, v`, "'U', 1, 'x', 'A'"),
			replicate.Counts{Changes: 1, Updates: 1, Duplicates: 2},
			[]string{"1 x A", "2 x b", "2 y B", "3 x c"},
		},
		"a delete leaves none": {
			"", rowsOf(`"Op", id, p, v`, "'D', 1, 'x', 'a'"),
			replicate.Counts{Changes: 1, Deletes: 1, Duplicates: 2},
			[]string{"2 x b", "2 y B", "3 x c"},
		},
		"an upsert that changes nothing leaves one": {
			"", rowsOf(`"Op", id, p, v`, "'I', 1, 'x', 'a'"),
			replicate.Counts{Changes: 1, Noops: 1, Duplicates: 2},
			[]string{"1 x a", "2 x b", "2 y B", "3 x c"},
		},
		"in two partitions": {
			"p", rowsOf(`"Op", id, p, v`, "'U', 2, 'y', 'C'"),
			replicate.Counts{Changes: 1, Updates: 1, Duplicates: 1},
			[]string{"1 x a", "1 x a", "1 x a", "2 y C", "3 x c"},
		},
		"in two partitions, to a third": {
			"p", rowsOf(`"Op", id, p, v`, "'U', 2, 'z', 'C'"),
			replicate.Counts{Changes: 1, Updates: 1, Duplicates: 1},
			[]string{"1 x a", "1 x a", "1 x a", "2 z C", "3 x c"},
		},
		"deleted in two partitions": {
			"p", rowsOf(`"Op", id, p, v`, "'D', 2, 'y', 'B'"),
			replicate.Counts{Changes: 1, Deletes: 1, Duplicates: 1},
			[]string{"1 x a", "1 x a", "1 x a", "3 x c"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if got := w.begin("id", tt.partition, overlap...); got.Inserts != 6 || got.Duplicates != 0 {
				t.Errorf("the load searched for duplicates, or lost them: %+v", got.Counts)
			}
			w.changeOf(tt.change)
			got := w.run(storyTable, replicate.Merged)
			if diff := cmp.Diff(tt.counts, got.Counts); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			w.wantRows("id, p, v", tt.want...)
		})
	}
}

func TestRuling18_KeylessTables(t *testing.T) {
	w := newWorld(t)
	w.begin("", "", rowsOf("id, v", "1, 'a'", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 1, 'a'", "'I', 2, 'b'", "'U', 2, 'B'", "'D', 1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'I', NULL::int, NULL::varchar"))
	got := w.run(storyTable, replicate.Merged)
	want := replicate.Counts{Changes: 5, Inserts: 3, Anomalies: 2}
	if diff := cmp.Diff(want, got.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	rows := []string{"1 a", "1 a", "1 a", "2 b", "NULL NULL"}
	w.wantRows("id, v", rows...)
	for range 3 {
		w.run(storyTable, replicate.Idle)
		w.wantRows("id, v", rows...)
	}
	w.changeOf(rowsOf(`"Op", id, v`, "'D', 1, 'a'"))
	if got := w.run(storyTable, replicate.Merged); got.Anomalies != 1 || got.Inputs != 1 {
		t.Errorf("a file of anomalies alone: %+v", got)
	}
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'b'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 a", "1 a", "1 a", "2 b", "2 b", "NULL NULL")
}

func TestRuling18_KeylessPartitionedTable(t *testing.T) {
	s := story{
		partition: "p", loads: []string{rowsOf("id, p", "1, 'x'", "2, 'y'")},
		changes: []string{rowsOf(`"Op", id, p`, "'I', 1, 'x'", "'I', 3, 'z'"), rowsOf(`"Op", id`, "'I', 4")},
		columns: "id, p", want: []string{"1 x", "1 x", "2 y", "3 z", "4 NULL"},
	}
	s.play(t)
}

func TestRuling21_CountsAreNet(t *testing.T) {
	load := rowsOf("id, v", "1, 'a'", "2, 'b'", "3, 'c'")
	tests := map[string]struct {
		changes []string
		want    replicate.Counts
	}{
		"an update of a row":               {[]string{rowsOf(`"Op", id, v`, "'U', 1, 'A'")}, replicate.Counts{Changes: 1, Updates: 1}},
		"an insert over a row":             {[]string{rowsOf(`"Op", id, v`, "'I', 1, 'A'")}, replicate.Counts{Changes: 1, Updates: 1}},
		"an update of no row":              {[]string{rowsOf(`"Op", id, v`, "'U', 9, 'z'")}, replicate.Counts{Changes: 1, Inserts: 1}},
		"a delete of no row":               {[]string{rowsOf(`"Op", id, v`, "'D', 9, 'z'")}, replicate.Counts{Changes: 1}},
		"a row already so":                 {[]string{rowsOf(`"Op", id, v`, "'I', 1, 'a'")}, replicate.Counts{Changes: 1, Noops: 1}},
		"two updates of a row":             {[]string{rowsOf(`"Op", id, v`, "'U', 1, 'A'", "'U', 1, 'AA'")}, replicate.Counts{Changes: 2, Updates: 1}},
		"there and back":                   {[]string{rowsOf(`"Op", id, v`, "'U', 1, 'A'"), rowsOf(`"Op", id, v`, "'I', 1, 'a'")}, replicate.Counts{Changes: 2, Noops: 1}},
		"inserted and deleted":             {[]string{rowsOf(`"Op", id, v`, "'I', 9, 'z'"), rowsOf(`"Op", id, v`, "'D', 9, 'z'")}, replicate.Counts{Changes: 2}},
		"deleted and inserted":             {[]string{rowsOf(`"Op", id, v`, "'D', 1, 'a'", "'I', 1, 'A'")}, replicate.Counts{Changes: 2, Updates: 1}},
		"deleted twice":                    {[]string{rowsOf(`"Op", id, v`, "'D', 1, 'a'", "'D', 1, 'a'")}, replicate.Counts{Changes: 2, Deletes: 1}},
		"a key update":                     {[]string{rowsOf(`"Op", id, v, "BI_id"`, "'U', 9, 'a', 1")}, replicate.Counts{Changes: 1, Inserts: 1, Deletes: 1}},
		"a file without rows among others": {[]string{rowsOf(`"Op", id, v`, "'I', 4, 'd'"), rowsOf(`"Op", id, v`, "'I', 4, 'd'") + " limit 0"}, replicate.Counts{Changes: 1, Inserts: 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", load)
			for _, query := range tt.changes {
				w.changeOf(query)
			}
			got := w.tick()[storyTable]
			if diff := cmp.Diff(tt.want, got.Counts); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if got.Action != replicate.Merged || got.Inputs != int64(len(tt.changes)) {
				t.Errorf("action %s (%s), %d inputs, want merged, %d", got.Action, got.Reason, got.Inputs, len(tt.changes))
			}
			w.run(storyTable, replicate.Idle)
		})
	}
}

func TestRuling21_StaleChangesAreDroppedAndCounted(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v, seq", "1, 'a', '5'", "2, 'b', NULL"))
	w.set(storyPath, map[string]string{statestore.OrderColumn: "seq"})
	w.changeOf(rowsOf(`"Op", id, v, seq`, "'U', 1, 'old', '4'", "'U', 2, 'B', '1'", "'D', 1, 'a', '3'"))
	got := w.run(storyTable, replicate.Merged)
	want := replicate.Counts{Changes: 3, Updates: 1, Stale: 1}
	if diff := cmp.Diff(want, got.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	w.wantRows("id, v, seq", "1 a 5", "2 B 1")
}

func TestRuling21_FilesUntouched(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "p", rowsOf("id, p", "1, 'x'", "2, 'y'", "3, 'z'", "4, 'q'"))
	w.changeOf(rowsOf(`"Op", id, p`, "'U', 1, 'new'", "'D', 4, 'q'"))
	got := w.run(storyTable, replicate.Merged)
	if got.FilesCreated != 1 || got.FilesEmptied != 2 || got.FilesRewritten != 0 || got.FilesUntouched != 2 {
		t.Errorf("traffic: %+v", got.Traffic)
	}
	w.changeOf(rowsOf(`"Op", id, p`, "'I', 2, 'y'"))
	got = w.run(storyTable, replicate.Merged)
	if got.FilesCreated+got.FilesEmptied+got.FilesRewritten != 0 || got.FilesUntouched != 3 || got.Noops != 1 {
		t.Errorf("a noop: %+v %+v", got.Counts, got.Traffic)
	}
}

func TestRuling21_SupersededInputsAreConsumed(t *testing.T) {
	w := newWorld(t)
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 1, 'old'"))
	w.pass(1e9)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	got := w.run(storyTable, replicate.Merged)
	if got.Inputs != 3 || got.Superseded != 1 || got.Changes != 1 {
		t.Errorf("inputs %d, counts %+v", got.Inputs, got.Counts)
	}
	w.wantRows("id, v", "1 A")
}
