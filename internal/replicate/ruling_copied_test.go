package replicate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// Changes under names of years ago, copied behind a load that is dated today,
// were taken for older than the load and dropped: at the load there had been
// no change file yet whose name and date could have shown that raw was copied.
func TestRuling02_ChangesCopiedBehindTheLoadAreNotSuperseded(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"}, []any{2, "b", "x"})
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	for i, c := range []dmsgen.Change{update(1, "A", "x"), remove(2, "b", "x"), insert(3, "c", "y")} {
		w.pass(time.Minute)
		named := time.Date(2024, 1, 2, 3, 4, i, 0, time.UTC)
		settings := dmsgen.DefaultSettings()
		settings.Delay = w.now().Sub(named)
		if _, err := w.writer(settings).WriteChanges(t.Context(), product(), named, c); err != nil {
			t.Fatal(err)
		}
		got := w.run("store.product", replicate.Merged)
		if got.Superseded != 0 || got.Changes != 1 {
			t.Errorf("change %d: %d superseded, %d read", i, got.Superseded, got.Changes)
		}
	}
	want := []string{"1 A x", "3 c y"}
	if diff := cmp.Diff(want, w.rows("product", "id, name, dept")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	w.run("store.product", replicate.Idle)
}

// A change file that comes late, alone among many that are dated as they are
// named, is still older than the reload before it.
func TestRuling02_OneLateFileIsStillOlderThanTheReload(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"})
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	stale := w.now().Add(30 * time.Minute)
	for i := range 5 {
		w.change(product(), insert(10+i, "n", "x"))
	}
	w.pass(time.Hour)
	w.load(product(), []any{1, "newer", "x"})
	w.run("store.product", replicate.Loaded)
	w.pass(8 * time.Hour)
	for i := range 3 {
		w.change(product(), insert(20+i, "n", "x"))
	}
	settings := dmsgen.DefaultSettings()
	settings.Delay = w.now().Sub(stale)
	if _, err := w.writer(settings).WriteChanges(t.Context(), product(), stale, update(1, "stale", "x")); err != nil {
		t.Fatal(err)
	}
	w.run("store.product", replicate.Merged)
	if got := w.rows("product", "name || ' ' || id"); !cmp.Equal(got, []string{"n 20", "n 21", "n 22", "newer 1"}) {
		t.Errorf("lake: %q", got)
	}
}
