package replicate_test

import (
	"fmt"
	"testing"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

func (w csvWorld) quarantined(columns string, want ...string) {
	w.t.Helper()
	if got := w.quarantineOf("product", columns); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("quarantine %q, want %q", got, want)
	}
}

func TestContract_OverCSV(t *testing.T) {
	for _, compression := range []string{"none", "gzip"} {
		w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.NoSup, s.Compression = "~", compression })
		w.load(product(), []any{1, "a", "x"}, []any{2, "b!", "x"}, []any{3, "c", nil}, []any{4, "d!", "y"})
		w.tick()
		w.activateCSV(map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"})
		text := "on_violation: quarantine\nrules:\n  - {column: name, pattern: '[^!]*', not_null: true}\n  - {column: id, type: int, min: 1}\n"
		if _, err := w.engine().Activate(t.Context(), "store.product", replicate.Activation{Contract: &text}); err != nil {
			t.Fatal(err)
		}
		if got := w.run("store.product", replicate.Loaded); got.Quarantined != 2 || got.Inserts != 2 {
			t.Errorf("load: %+v", got.Counts)
		}
		if v := w.verify("store.product"); !v.Well() {
			t.Errorf("verify: %+v", v)
		}
		w.change(product(), update(1, dmsgen.Missing{}, "X"), update(3, "c!", "z"), insert(0, "zero", "z"), insert(5, "e", "z"))
		if got := w.run("store.product", replicate.Merged); got.Quarantined != 2 || got.Inserts != 1 || got.Updates != 1 {
			t.Errorf("merge: %+v", got.Counts)
		}
		if got, want := w.rows("product", "id, name, dept"), []string{"1 a X", "3 c NULL", "5 e z"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("lake %q, want %q", got, want)
		}
		w.quarantined("_sluice_row, _sluice_op, _sluice_column, id, name, dept", "1 I name 2 b! x", "1 U name 3 c! z", "2 I id 0 zero z", "3 I name 4 d! y")
	}
}

func TestContract_OverDebezium(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, debezium("id, v", "1, 'a', 'r', 10, 'false'", "2, 'b!', 'r', 10, 'false'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.contracted("on_violation: quarantine\nrules:\n  - {column: v, pattern: '[^!]*', not_null: true}\n  - unique_key: true\n")
	w.run(storyTable, replicate.Loaded)
	w.changeOf(debezium("id, v", "1, 'A!', 'u', 20, 'false'", "3, 'c', 'c', 21, 'false'", "3, 'cc', 'c', 22, 'false'", "2, null, 'd', 23, 'true'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 a", "3 c")
	if got, want := w.quarantine("_sluice_op, _sluice_rule, id, v, __op"), []string{"I pattern 2 b! r", "I unique_key 3 cc c", "U pattern 1 A! u"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("quarantine %q, want %q", got, want)
	}
}
