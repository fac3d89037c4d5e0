package replicate_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// contracted gives store.t a contract.
func (w *world) contracted(text string) {
	w.t.Helper()
	if _, err := w.engine().Activate(w.t.Context(), storyTable, replicate.Activation{Contract: &text}); err != nil {
		w.t.Fatal(err)
	}
}

// quarantine returns what DuckDB reads in the quarantine of store.t, a text a row.
func (w *world) quarantine(columns string) []string {
	w.t.Helper()
	return w.quarantineOf(storyFolder, columns)
}

func (w *world) quarantineOf(folder, columns string) []string {
	w.t.Helper()
	glob := filepath.Join(w.root, "lake", "_sluice", folder, "quarantine", "*.parquet")
	if found, _ := filepath.Glob(glob); len(found) == 0 {
		return nil
	}
	var rows []string
	for _, row := range rig.DuckDB(w.t).Query(fmt.Sprintf("select %s from read_parquet(?, union_by_name=true) order by all", columns), glob) {
		text := ""
		for i, v := range row {
			if i > 0 {
				text += " "
			}
			text += rig.Text(v)
		}
		rows = append(rows, text)
	}
	return rows
}

func TestContract_BadRowsOfALoadAndOfChangesGoToTheQuarantine(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v, n", "1, 'a', 10", "2, 'b', -1", "3, NULL, 30"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.contracted("on_violation: quarantine\nrules:\n  - {column: n, min: 0, max: 100}\n  - {column: v, not_null: true}\n")
	if got := w.run(storyTable, replicate.Loaded); got.Quarantined != 2 || got.Inserts != 1 {
		t.Errorf("the load: %+v", got.Counts)
	}
	w.wantRows("id, v, n", "1 a 10")
	w.changeOf(rowsOf(`"Op", id, v, n`, "'U', 1, 'A', 101", "'I', 4, 'd', 40", "'D', 9, NULL, -5"))
	if got := w.run(storyTable, replicate.Merged); got.Quarantined != 1 || got.Inserts != 1 {
		t.Errorf("the merge: %+v", got.Counts)
	}
	w.wantRows("id, v, n", "1 a 10", "4 d 40")
	want := []string{
		"store/t/20260314-120100000.parquet 0 U n max 1 A 101",
		"store/t/LOAD00000001.parquet 1 I n min 2 b -1",
		"store/t/LOAD00000001.parquet 2 I v not_null 3 NULL 30",
	}
	if got := w.quarantine("_sluice_file, _sluice_row, _sluice_op, _sluice_column, _sluice_rule, id, v, n"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("quarantine:\n%q, want\n%q", got, want)
	}
	if got := w.item(storyPath)[statestore.Quarantined]; got != "3" {
		t.Errorf("the item counts %q", got)
	}
	if v := w.verify(storyTable); !v.Well() {
		t.Errorf("verify: %+v", v)
	}
	w.run(storyTable, replicate.Idle)
}
