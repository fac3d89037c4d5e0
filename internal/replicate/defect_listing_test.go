package replicate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// TestDefect01 has a bucket name that sorts before the keys, and one that sorts behind them.
func TestDefect01_StartAfterGetsBucketAndKey(t *testing.T) {
	t.Run("matches everything", func(t *testing.T) {
		v := newVersus(t, keyless()) // "raw/…" < "store/…"
		v.change(v.table, insert(1, "a", "x"))
		v.begin()
		v.change(v.table, insert(2, "b", "x"))
		v.both()
		v.change(v.table, insert(3, "c", "x"))
		v.both()
		v.wantWrong("I 1 a x", "I 1 a x", "I 2 b x", "I 3 c x")
		v.wantRight("I 1 a x", "I 2 b x", "I 3 c x")
	})
	t.Run("matches nothing", func(t *testing.T) {
		table := product()
		table.Schema = "app" // "raw/…" > "app/…"
		v := newVersus(t, table)
		v.load(table, []any{1, "a", "x"})
		v.begin()
		v.both()
		v.change(table, update(1, "A", "x"))
		v.both()
		v.wantWrong("I 1 a x")
		v.wantRight("U 1 A x")
	})
}

func TestDefect02_OnlyOnePageIsListed(t *testing.T) {
	t.Parallel()
	const n = onePage + 1
	t.Run("change files", func(t *testing.T) {
		v := newVersus(t, product())
		v.load(v.table, []any{1, "a", "x"})
		v.begin()
		v.both()
		for i := range n {
			v.pass(time.Second)
			v.changeAt(v.table, v.now(), update(1, fmt.Sprint("change ", i), "x"))
		}
		v.both()
		v.sample.run()
		v.sample.run() // the page never moves on
		v.wantWrong("U 1 change 999 x")
		v.wantRight("U 1 change 1000 x")
	})
	t.Run("tables", func(t *testing.T) {
		w := newWorld(t)
		w.load(product(), []any{1, "a", "x"})
		one := w.bytes("raw", "store/product/LOAD00000001.parquet")
		for i := range n - 1 {
			if _, err := w.objects["raw"].Put(t.Context(), fmt.Sprintf("store/t%04d/LOAD00000001.parquet", i), one, object.PutInput{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(newAncestor(w, product()).listObjects(object.ListInput{Prefix: "store/", Delimiter: "/"})); got != onePage {
			t.Errorf("the ancestor finds %d tables", got)
		}
		if got := w.tick(); len(got) != n || got["store.t0999"].Action != replicate.Registered {
			t.Errorf("sluice finds %d tables, want %d", len(got), n)
		}
	})
	t.Run("load files", func(t *testing.T) {
		v := newVersus(t, product())
		settings := dmsgen.DefaultSettings()
		settings.RowsPerFile = 1
		rows := make([][]any, n)
		for i := range rows {
			rows[i] = []any{i, "a", "x"}
		}
		if _, err := v.writer(settings).WriteLoad(t.Context(), v.table, v.now(), rows...); err != nil {
			t.Fatal(err)
		}
		v.begin()
		v.both()
		if got := len(v.sample.rows("id")); got != onePage {
			t.Errorf("the ancestor's lake has %d rows", got)
		}
		if got := v.rows("product", "count(*), count(distinct id)"); !slices.Equal(got, []string{"1001 1001"}) {
			t.Errorf("sluice's lake has %v", got)
		}
	})
}

// TestDefect04 lets a file arrive between the controller's listing and the worker's.
func TestDefect04_TheWorkerListsAgainAndEatsWhatIsNotRecorded(t *testing.T) {
	v := newVersus(t, keyless())
	v.sample.mended = true
	v.change(v.table, insert(1, "a", "x"))
	v.begin()
	arrive := func() { v.change(v.table, insert(2, "b", "x")) }
	v.sample.at("listed", func() error { arrive(); return nil })
	v.sample.run()
	if v.sample.lastListed != 1 || v.sample.lastWorking != 2 {
		t.Fatalf("the controller listed %d, the worker %d", v.sample.lastListed, v.sample.lastWorking)
	}
	v.hook("raw").listed = func() { v.change(v.table, insert(3, "c", "x")) }
	v.run(v.name(), replicate.Merged)
	v.both()
	v.wantWrong("I 1 a x", "I 2 b x", "I 2 b x", "I 3 c x")
	v.wantRight("I 1 a x", "I 2 b x", "I 3 c x")
}

// TestDefect10 writes a full load of two files, one of which takes its time.
func TestDefect10_AFullLoadIsJudgedByItsFirstFile(t *testing.T) {
	first, second := dmsgen.DefaultSettings(), dmsgen.DefaultSettings()
	second.FirstLoad = 2
	arrive := func(v *versus, s dmsgen.Settings, row ...any) {
		if _, err := v.writer(s).WriteLoad(t.Context(), v.table, v.now(), row); err != nil {
			t.Fatal(err)
		}
	}
	for name, quiet := range map[string]time.Duration{"before it counts as complete": 30 * time.Minute, "after it was loaded": 0} {
		t.Run(name, func(t *testing.T) {
			v := newVersus(t, product())
			v.config.FullLoadQuiet = quiet
			arrive(v, first, 1, "a", "x")
			v.begin()
			v.pass(time.Minute)
			got := v.both()
			if waits := got.Action == replicate.Idle && got.Reason != ""; waits != (quiet > 0) {
				t.Errorf("sluice: %s (%s)", got.Action, got.Reason)
			}
			v.pass(time.Minute)
			arrive(v, second, 2, "b", "x")
			v.pass(time.Hour)
			v.both()
			v.sample.run()
			v.wantWrong("I 1 a x")
			v.wantRight("I 1 a x", "I 2 b x")
		})
	}
	t.Run("the lake is empty meanwhile", func(t *testing.T) {
		v := newVersus(t, product())
		arrive(v, first, 1, "old", "x")
		v.begin()
		v.both()
		v.pass(time.Minute)
		arrive(v, first, 1, "new", "x")
		v.sample.at("overwriting", func() error {
			v.wantWrong()
			return nil
		})
		v.sample.run()
		lake, seen := v.hook("lake"), 0
		lake.create = func(string) error {
			seen++
			if got := len(v.rows("product", "id")); got == 0 {
				t.Error("sluice's lake is empty during the reload")
			}
			return nil
		}
		v.run(v.name(), replicate.Loaded)
		if seen == 0 {
			t.Error("no lake file was written")
		}
		v.wantRight("I 1 new x")
	})
}
