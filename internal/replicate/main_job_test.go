package replicate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
)

func TestLoadAndMerge(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"}, []any{2, "b", "x"}, []any{3, "c", "y"})
	w.run("store.product", replicate.Registered)
	w.run("store.product", replicate.Inactive)
	w.activate("store.product", "id", "")
	got := w.run("store.product", replicate.Loaded)
	if got.Inserts != 3 || got.FilesCreated != 1 || got.Inputs != 1 {
		t.Errorf("load: %+v", got)
	}
	w.change(product(), update(1, "A", "x"), remove(2, "b", "x"), insert(4, "d", "y"))
	got = w.run("store.product", replicate.Merged)
	if got.Inserts != 1 || got.Updates != 1 || got.Deletes != 1 || got.FilesRewritten != 1 {
		t.Errorf("merge: %+v", got)
	}
	want := []string{"I 3 c y", "I 4 d y", "U 1 A x"}
	if diff := cmp.Diff(want, w.rows("product", `"Op", id, name, dept`)); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	before := w.item("raw/store/product/")
	w.run("store.product", replicate.Idle)
	if diff := cmp.Diff(before, w.item("raw/store/product/")); diff != "" {
		t.Errorf("an idle run changed the control item:\n%s", diff)
	}
}
