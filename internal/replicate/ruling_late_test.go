package replicate_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// TestRuling08_Late lets a file arrive between two that were consumed. Its name is noon plus two minutes.
func TestRuling08_Late(t *testing.T) {
	renamed := dmsgen.Change{Op: dmsgen.Update, Row: []any{7, "renamed", ""}, Before: []any{1, "a", ""}}
	cases := []struct {
		name         string
		first, later []dmsgen.Change // consumed, one minute before and after
		late         []dmsgen.Change
		rows         []string // of a lake that was loaded with 1 a, 2 b
	}{
		{
			"key that nothing mentions", nil, nil,
			[]dmsgen.Change{update(1, "late", ""), insert(3, "late", "")},
			[]string{"1 late", "2 b", "3 late"},
		},
		{
			"key that an earlier file mentions",
			[]dmsgen.Change{update(1, "first", "")},
			nil,
			[]dmsgen.Change{update(1, "late", "")},
			[]string{"1 late", "2 b"},
		},
		{
			"key that a later file mentions", nil,
			[]dmsgen.Change{update(1, "later", "")},
			[]dmsgen.Change{update(1, "late", ""), update(2, "late", "")},
			[]string{"1 later", "2 late"},
		},
		{
			"key that a later file deletes", nil,
			[]dmsgen.Change{remove(1, "", "")},
			[]dmsgen.Change{update(1, "late", "")},
			[]string{"2 b"},
		},
		{
			"key that a later file inserts and deletes", nil,
			[]dmsgen.Change{insert(3, "x", ""), remove(3, "", "")},
			[]dmsgen.Change{insert(3, "late", "")},
			[]string{"1 a", "2 b"},
		},
		{
			"delete of a key that nothing mentions", nil, nil,
			[]dmsgen.Change{remove(1, "", ""), remove(9, "", "")},
			[]string{"2 b"},
		},
		{
			"delete of a key that an earlier file inserts",
			[]dmsgen.Change{insert(3, "x", "")},
			nil,
			[]dmsgen.Change{remove(3, "", "")},
			[]string{"1 a", "2 b"},
		},
		{
			"delete of a key that a later file inserts", nil,
			[]dmsgen.Change{insert(3, "later", "")},
			[]dmsgen.Change{remove(3, "", "")},
			[]string{"1 a", "2 b", "3 later"},
		},
		{
			"key that a later file renames", nil,
			[]dmsgen.Change{renamed},
			[]dmsgen.Change{update(1, "late", "")},
			[]string{"2 b", "7 renamed"},
		},
		{
			"renames a key that a later file mentions", nil,
			[]dmsgen.Change{update(7, "later", "")},
			[]dmsgen.Change{renamed},
			[]string{"2 b", "7 later"},
		},
		{"no rows", nil, []dmsgen.Change{update(1, "later", "")}, nil, []string{"1 later", "2 b"}},
	}
	for _, folders := range []string{"", "YYYYMMDD"} {
		for _, c := range cases {
			t.Run(folders+" "+c.name, func(t *testing.T) {
				w := newWorld(t)
				w.start([]any{1, "a", ""}, []any{2, "b", ""})
				s := dmsgen.DefaultSettings()
				s.BeforeImages, s.DateFolders = dmsgen.KeyImages, folders
				w.pass(3 * time.Minute)
				w.changeAs(s, noon.Add(time.Minute), append(c.first, update(50, "x", ""))...)
				last := w.changeAs(s, noon.Add(3*time.Minute), append(c.later, update(51, "x", ""))...)
				w.run("store.product", replicate.Merged)
				w.changeAs(s, noon.Add(2*time.Minute), c.late...)
				if got := w.run("store.product", replicate.Merged); got.Inputs != 1 {
					t.Errorf("consumed %d inputs, want 1", got.Inputs)
				}
				w.wantProduct(append(c.rows, "50 x", "51 x")...)
				w.wantItem(statestore.LastIncrementalFile, "raw/"+last)
				w.unchanged("store.product", productPath)
			})
		}
	}
}

// TestRuling08_SeveralLate folds late files in their order, and new ones of the same run on top.
func TestRuling08_SeveralLate(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""}, []any{2, "b", ""}, []any{3, "c", ""})
	w.pass(6 * time.Minute)
	w.changeAt(product(), noon.Add(3*time.Minute), update(2, "three", ""))
	w.run("store.product", replicate.Merged)
	w.changeAt(product(), noon.Add(6*time.Minute), update(3, "six", ""))
	w.changeAt(product(), noon.Add(2*time.Minute), update(1, "two", ""), update(2, "two", ""), update(3, "two", ""))
	w.changeAt(product(), noon.Add(time.Minute), update(1, "one", ""), update(2, "one", ""), insert(4, "one", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 two", "2 three", "3 six", "4 one")
	w.unchanged("store.product", productPath)
}

// TestRuling08_WrittenAgainInPlace takes a consumed file with another content for a late one.
func TestRuling08_WrittenAgainInPlace(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""}, []any{2, "b", ""})
	at := noon.Add(time.Minute)
	w.changeAt(product(), at, update(1, "first", ""))
	w.pass(2 * time.Minute)
	w.changeAt(product(), w.now(), update(2, "later", ""))
	w.run("store.product", replicate.Merged)
	w.pass(time.Minute)
	w.dateRaw(w.changeAt(product(), at, update(1, "mended", ""), update(2, "mended", "")), w.now())
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 mended", "2 later")
	w.unchanged("store.product", productPath)
}

// TestRuling08_SupersededTouched is a defect's: a file older than the full load that merely got another
// date was taken for a late one and applied on top of the load.
func TestRuling08_SupersededTouched(t *testing.T) {
	w := newWorld(t)
	key := w.change(product(), update(1, "old", ""))
	w.pass(time.Minute)
	w.start([]any{1, "load", ""})
	w.pass(time.Minute)
	w.dateRaw(key, w.now())
	w.tick()
	w.wantProduct("1 load")
	w.unchanged("store.product", productPath)
}

// TestRuling08_Keyless appends each file's inserts exactly once, however late and however often it is dated anew.
func TestRuling08_Keyless(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", ""})
	w.activate("store.product", "", "")
	w.run("store.product", replicate.Loaded)
	w.pass(3 * time.Minute)
	w.changeAt(product(), noon.Add(3*time.Minute), insert(1, "later", ""))
	w.run("store.product", replicate.Merged)
	key := w.changeAt(product(), noon.Add(2*time.Minute), insert(1, "late", ""), insert(1, "late", ""), update(1, "u", ""), remove(1, "a", ""))
	if got := w.run("store.product", replicate.Merged); got.Inserts != 2 || got.Anomalies != 2 {
		t.Errorf("%d inserts, %d anomalies, want 2 and 2", got.Inserts, got.Anomalies)
	}
	want := []string{"1 a", "1 late", "1 late", "1 later"}
	w.wantProduct(want...)
	w.unchanged("store.product", productPath)
	w.pass(time.Minute)
	w.dateRaw(key, w.now())
	w.tick()
	w.wantProduct(want...)
	w.unchanged("store.product", productPath)
}

// lateBelow returns a world, a month after its load, into which a file named below the horizon came today.
func lateBelow(t *testing.T, age time.Duration) (w *world, key string) {
	t.Helper()
	w = newWorld(t)
	w.start([]any{1, "a", ""})
	w.pass(30 * day)
	w.mergedChange(1, "b")
	w.pass(time.Minute)
	key = w.changeAt(product(), w.now().Add(-age), update(1, "late", ""), insert(2, "late", ""))
	w.dateRaw(key, w.now())
	return w, key
}

// TestRuling08_BelowTheHorizon halts at the day's first run at the latest, and doctor lists the file at once.
func TestRuling08_BelowTheHorizon(t *testing.T) {
	w, key := lateBelow(t, 20*day)
	w.unchanged("store.product", productPath) // hidden by the anchor, on this day
	found := false
	err := w.engine().Doctor(t.Context(), func(c replicate.Check) {
		found = found || !c.OK && strings.Contains(c.Detail, key) && c.Remedy != ""
	})
	if err != nil || !found {
		t.Errorf("doctor does not list %s (error %v)", key, err)
	}
	w.pass(day)
	w.haltsWith("late", key)
	w.change(product(), insert(3, "new", ""))
	w.haltsWith("late", key)
	w.wantProduct("1 b")
	w.accept("")
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 b", "3 new")
	for range 9 {
		w.pass(day)
		w.run("store.product", replicate.Idle)
	}
}

// TestRuling08_JustBelowTheHorizon needs no whole listing: the anchor lies a day before the horizon.
func TestRuling08_JustBelowTheHorizon(t *testing.T) {
	w, key := lateBelow(t, 7*day+time.Hour)
	w.haltsWith("late", key)
	w.wantProduct("1 b")
}

// TestRuling08_JustInsideTheHorizon is merged without a word.
func TestRuling08_JustInsideTheHorizon(t *testing.T) {
	w, _ := lateBelow(t, 7*day-time.Hour)
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 b", "2 late")
}

// TestRuling08_BelowTheLoad is superseded, however old: it neither halts nor is applied.
func TestRuling08_BelowTheLoad(t *testing.T) {
	w, _ := lateBelow(t, 40*day)
	w.pass(day)
	if got := w.run("store.product", replicate.Merged); got.Superseded != 1 {
		t.Errorf("superseded %d, want 1", got.Superseded)
	}
	w.wantProduct("1 b")
	w.unchanged("store.product", productPath)
}

// TestRuling08_LateAndVanished is a defect's: an operator who judged inputs that vanished left out late files
// unseen, and one who left out late files forgot inputs that vanished meanwhile.
func TestRuling08_LateAndVanished(t *testing.T) {
	for name, vanishedFirst := range map[string]bool{"vanished before": true, "vanished while halted": false} {
		t.Run(name, func(t *testing.T) {
			w, late := lateBelow(t, 20*day)
			w.pass(time.Minute)
			gone := w.change(product(), update(1, "c", ""))
			w.run("store.product", replicate.Merged)
			w.pass(day)
			if !vanishedFirst {
				w.haltsWith("late", late)
			}
			w.removeRaw(gone)
			if !vanishedFirst {
				w.accept("")
			}
			w.haltsWith("vanished", gone)
			w.accept("")
			w.run("store.product", replicate.Idle)
			w.pass(day) // the day's first run shows what lies before the anchor
			w.haltsWith("late", late)
			w.accept("")
			w.run("store.product", replicate.Idle)
			w.wantProduct("1 c")
			w.unchanged("store.product", productPath)
		})
	}
}
