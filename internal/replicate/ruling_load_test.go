package replicate_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// TestRuling02_LoadStart writes one CDC file near the load's start. Consumed it is in any case.
func TestRuling02_LoadStart(t *testing.T) {
	const ms = time.Millisecond
	berlin := map[string]string{statestore.InputTimezone: "Europe/Berlin"}
	cases := []struct {
		name    string
		file    time.Duration // name of the CDC file minus noon; the LOAD object is dated 700 ms past noon
		set     map[string]string
		zone    string // of the names
		applied bool
	}{
		{name: "older by a millisecond", file: -ms},
		{name: "equal", file: 0, applied: true},
		{name: "older than the load's date, in the same second", file: 500 * ms, applied: true},
		{name: "newer", file: time.Second, applied: true},
		{name: "older than a lead in seconds", file: -90*time.Second - ms, set: map[string]string{statestore.LoadLead: "90"}},
		{name: "equal to the start that a lead gives", file: -90 * time.Second, set: map[string]string{statestore.LoadLead: "90"}, applied: true},
		{name: "lead with a unit", file: -2 * time.Minute, set: map[string]string{statestore.LoadLead: "2m"}, applied: true},
		{name: "local names, older", file: -ms, set: berlin, zone: "Europe/Berlin"},
		{name: "local names, equal", file: 0, set: berlin, zone: "Europe/Berlin", applied: true},
		{name: "local names taken for UTC", file: -30 * time.Minute, zone: "Europe/Berlin", applied: true},
		{name: "names of the west taken for UTC", file: 30 * time.Minute, zone: "America/New_York"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			s := dmsgen.DefaultSettings()
			if c.zone != "" {
				s.Location = zone(t, c.zone)
			}
			w.loadAs(dmsgen.DefaultSettings(), noon.Add(700*ms), []any{1, "load", ""})
			key := w.changeAs(s, noon.Add(c.file), update(1, "change", ""))
			w.activate("store.product", "id", "")
			if c.set != nil {
				w.set(productPath, c.set)
			}
			w.pass(time.Hour)
			action, row, superseded := replicate.Loaded, "1 load", int64(1)
			if c.applied {
				action, row, superseded = replicate.Merged, "1 change", 0
			}
			if got := w.run("store.product", action); got.Superseded != superseded {
				t.Errorf("superseded %d, want %d", got.Superseded, superseded)
			}
			w.wantProduct(row)
			w.wantItem(statestore.LastIncrementalFile, "raw/"+key)
			w.wantItem(statestore.LastFullLoadDate, "2026-03-14 12:00:00")
		})
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestRuling02_EarliestObject dates the objects of one load apart: the earliest is the load's start,
// the first in key order gives LastFullLoadDate.
func TestRuling02_EarliestObject(t *testing.T) {
	w := newWorld(t)
	s := dmsgen.DefaultSettings()
	s.RowsPerFile = 1
	keys := w.loadAs(s, noon, []any{1, "load", ""}, []any{2, "load", ""}, []any{3, "load", ""})
	w.dateRaw(keys[0], noon.Add(5*time.Minute))
	w.dateRaw(keys[2], noon.Add(3*time.Minute))
	w.changeAt(product(), noon.Add(-time.Second), update(1, "before", ""))
	last := w.changeAt(product(), noon.Add(time.Minute), update(2, "change", ""))
	w.activate("store.product", "id", "")
	w.pass(time.Hour)
	if got := w.run("store.product", replicate.Merged); got.Superseded != 1 || got.Inputs != 5 {
		t.Errorf("superseded %d of %d inputs, want 1 of 5", got.Superseded, got.Inputs)
	}
	w.wantProduct("1 load", "2 change", "3 load")
	w.wantItem(statestore.LastFullLoadDate, "2026-03-14 12:05:00")
	w.wantItem(statestore.LastIncrementalFile, "raw/"+last)
}

// TestRuling02_LateSuperseded lets a file older than the load arrive after it was loaded: it is consumed and not applied.
func TestRuling02_LateSuperseded(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "load", ""})
	w.pass(time.Minute)
	w.changeAt(product(), noon.Add(-time.Minute), update(1, "before", ""))
	if got := w.run("store.product", replicate.Merged); got.Superseded != 1 || got.FilesRewritten != 0 {
		t.Errorf("superseded %d, rewrote %d, want 1 and 0", got.Superseded, got.FilesRewritten)
	}
	w.wantProduct("1 load")
	w.run("store.product", replicate.Idle)
}

// TestRuling02_SkewedFirstLoad loads a raw bucket whose CDC files are dated far from their names.
func TestRuling02_SkewedFirstLoad(t *testing.T) {
	cases := []struct {
		name       string
		delay      time.Duration // date of the CDC files minus their names
		zone       string        // InputTimezone
		superseded int64
	}{
		{"six hours and more: nothing is superseded", 6*time.Hour + time.Second, "", 0},
		{"dated before its name", -7 * time.Hour, "", 0},
		{"six hours sharp are no skew", 6 * time.Hour, "", 1},
		{"the time zone explains it", 9 * time.Hour, "Etc/GMT+9", 0}, // the file is at 20:59 then, behind the load
		{"the time zone explains it, an old file", -8 * time.Hour, "Etc/GMT-8", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.load(product(), []any{1, "load", ""})
			s := dmsgen.DefaultSettings()
			s.Delay = c.delay
			w.changeAs(s, noon.Add(-time.Minute), update(1, "change", ""))
			w.activate("store.product", "id", "")
			w.set(productPath, map[string]string{statestore.InputTimezone: c.zone})
			w.pass(48 * time.Hour)
			got := w.tick()["store.product"]
			if got.Superseded != c.superseded {
				t.Errorf("superseded %d, want %d (%s)", got.Superseded, c.superseded, got.Reason)
			}
			want := "1 change"
			if c.superseded > 0 {
				want = "1 load"
			}
			w.wantProduct(want)
		})
	}
}

// TestRuling02_SkewedReload reloads where the CDC files are dated far from their names: it halts until accepted;
// then what was consumed so far counts as part of the load.
func TestRuling02_SkewedReload(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "load", ""}, []any{2, "load", ""})
	s := dmsgen.DefaultSettings()
	s.Delay = 7 * time.Hour
	w.changeAs(s, noon.Add(time.Minute), update(1, "change", ""))
	w.activate("store.product", "id", "")
	w.pass(8 * time.Hour)
	w.run("store.product", replicate.Merged)
	w.pass(time.Hour)
	w.load(product(), []any{1, "reload", ""}, []any{2, "reload", ""})
	w.haltsWith("reload", "six hours", "InputTimezone", "--accept reload")
	w.wantProduct("1 change", "2 load")
	w.accept("reload")
	if got := w.run("store.product", replicate.Loaded); got.Superseded != 1 {
		t.Errorf("superseded %d, want 1", got.Superseded)
	}
	w.wantProduct("1 reload", "2 reload")
	w.changeAs(s, w.now().Add(-time.Minute), update(2, "later", ""))
	w.pass(8 * time.Hour)
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 reload", "2 later")
}

// TestRuling02_SkewBelowTheHorizon reloads a table whose old CDC files alone were copied: a listing from
// the anchor does not show them, so that the reload ran and superseded what nobody had accepted.
func TestRuling02_SkewBelowTheHorizon(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "load", ""})
	s := dmsgen.DefaultSettings()
	s.Delay = 7 * time.Hour
	w.changeAs(s, noon.Add(time.Minute), update(1, "change", ""))
	w.activate("store.product", "id", "")
	w.pass(8 * time.Hour)
	w.run("store.product", replicate.Merged)
	w.pass(20 * 24 * time.Hour)
	w.change(product(), insert(2, "new", ""))
	w.run("store.product", replicate.Merged)
	w.pass(time.Minute)
	w.load(product(), []any{1, "reload", ""}, []any{2, "reload", ""})
	w.haltsWith("reload", "six hours")
}

// TestRuling03_NewGeneration resets the watermark in the load's own finish and applies again what is not older.
func TestRuling03_NewGeneration(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "load", ""}, []any{2, "load", ""})
	old := w.change(product(), update(1, "old", ""))
	w.pass(10 * time.Minute)
	start := w.now()
	newer := w.change(product(), update(2, "newer", ""))
	w.run("store.product", replicate.Merged)
	w.pass(time.Minute)
	w.loadAs(dmsgen.DefaultSettings(), start, []any{1, "reload", ""}, []any{2, "reload", ""}, []any{3, "reload", ""})
	got := w.run("store.product", replicate.Merged)
	if got.Superseded != 1 || got.Inputs != 3 {
		t.Errorf("superseded %d of %d inputs, want 1 of 3", got.Superseded, got.Inputs)
	}
	w.wantProduct("1 reload", "2 newer", "3 reload")
	w.wantItem(statestore.LastIncrementalFile, "raw/"+newer)
	w.wantItem(statestore.LastFullLoadDate, start.Format(time.DateTime))
	w.wantItem(statestore.Generation, "2")

	// once more, dated so that everything is superseded, and once so that nothing is
	w.pass(time.Hour)
	w.loadAs(dmsgen.DefaultSettings(), w.now(), []any{1, "third", ""})
	w.run("store.product", replicate.Loaded)
	w.wantItem(statestore.LastIncrementalFile, "raw/"+newer)
	w.wantProduct("1 third")
	w.loadAs(dmsgen.DefaultSettings(), noon, []any{1, "fourth", ""}, []any{2, "fourth", ""})
	w.removeRaw(old, newer)
	w.run("store.product", replicate.Loaded)
	w.wantItem(statestore.LastIncrementalFile, productPath+"0.parquet")
	w.wantProduct("1 fourth", "2 fourth")
}

// TestRuling06_FullLoadStillArriving waits, consumes nothing and says why; then it loads.
func TestRuling06_FullLoadStillArriving(t *testing.T) {
	segment := func(s dmsgen.Settings, folder string) dmsgen.Settings {
		s.SegmentFolder = folder
		return s
	}
	s := dmsgen.DefaultSettings()
	s.RowsPerFile = 1
	from := func(n int) dmsgen.Settings { s := s; s.FirstLoad = n; return s }
	cases := []struct {
		name   string
		quiet  time.Duration
		first  func(w *world)
		reason string
		then   func(w *world)
	}{
		{
			"a gap in the counters", 0,
			func(w *world) {
				w.loadAs(from(1), w.now(), []any{1, "a", ""})
				w.loadAs(from(3), w.now(), []any{3, "c", ""})
			},
			"LOAD00000002",
			func(w *world) { w.loadAs(from(2), w.now(), []any{2, "b", ""}) },
		},
		{
			"the first is missing", 0,
			func(w *world) { w.loadAs(from(2), w.now(), []any{2, "b", ""}) },
			"LOAD00000001",
			func(w *world) {
				w.loadAs(from(1), w.now(), []any{1, "a", ""})
				w.loadAs(from(3), w.now(), []any{3, "c", ""})
			},
		},
		{
			"a gap at the turn from 9 to A", 0,
			func(w *world) {
				for n := range 9 {
					w.loadAs(from(n+1), w.now(), []any{n % 3, "x", ""})
				}
				w.loadAs(from(11), w.now(), []any{1, "a", ""})
			},
			"LOAD0000000A",
			func(w *world) {
				for n := range 11 {
					w.loadAs(from(n+1), w.now(), []any{n + 1, string(rune('a' + n)), ""})
				}
				for n := range 8 {
					w.loadAs(from(n+4), w.now())
					w.removeRaw(s.LoadKey(product(), n+4))
				}
			},
		},
		{
			"a gap in a segment", 0,
			func(w *world) {
				w.loadAs(segment(s, "p1"), w.now(), []any{1, "a", ""})
				w.loadAs(segment(from(2), "p2"), w.now(), []any{3, "c", ""})
			},
			"p2/LOAD00000001",
			func(w *world) { w.loadAs(segment(s, "p2"), w.now(), []any{2, "b", ""}) },
		},
		{
			"nothing new for less than the quiet time", 30 * time.Minute,
			func(w *world) {
				w.loadAs(s, w.now(), []any{1, "a", ""}, []any{2, "b", ""}, []any{3, "c", ""})
				w.pass(29 * time.Minute)
			},
			"30m",
			func(w *world) { w.pass(time.Minute) },
		},
		{
			"a newer change file, and an object younger than ten minutes", 30 * time.Minute,
			func(w *world) {
				w.loadAs(s, w.now(), []any{1, "a", ""}, []any{2, "b", ""}, []any{3, "c", ""})
				w.change(product(), remove(9, "", ""))
				w.pass(9*time.Minute - time.Second)
			},
			"full load still arriving",
			func(w *world) { w.pass(time.Second) },
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.config.FullLoadQuiet = c.quiet
			w.changeAt(product(), w.now(), remove(8, "", ""))
			w.activate("store.product", "id", "")
			before := w.item(productPath)[statestore.LastIncrementalFile]
			c.first(w)
			got := w.run("store.product", replicate.Idle)
			if !strings.Contains(got.Reason, c.reason) || got.Inputs != 0 || got.Err != nil {
				t.Errorf("reason %q, %d inputs, want one with %q and 0", got.Reason, got.Inputs, c.reason)
			}
			w.wantItem(statestore.LastIncrementalFile, before)
			w.wantProduct()
			c.then(w)
			w.run("store.product", replicate.Merged)
			w.wantProduct("1 a", "2 b", "3 c")
		})
	}
}

// TestRuling06_ReloadStillArriving keeps the old rows and leaves the changes while a reload arrives.
func TestRuling06_ReloadStillArriving(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "load", ""})
	w.pass(time.Hour)
	w.config.FullLoadQuiet = 30 * time.Minute
	w.load(product(), []any{1, "reload", ""})
	w.changeAt(product(), w.now(), insert(2, "change", ""))
	if got := w.run("store.product", replicate.Idle); !strings.Contains(got.Reason, "full load still arriving") {
		t.Errorf("reason %q", got.Reason)
	}
	w.wantProduct("1 load")
	w.pass(30 * time.Minute)
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 reload", "2 change")
}

// TestRuling07_NoLoad starts empty; a full load that comes later replaces what changes made.
func TestRuling07_NoLoad(t *testing.T) {
	w := newWorld(t)
	w.change(product(), insert(1, "a", ""), insert(2, "b", ""), update(3, "c", ""), remove(2, "b", ""), remove(9, "", ""))
	w.activate("store.product", "id", "")
	if got := w.run("store.product", replicate.Merged); got.Inserts != 2 || got.Deletes != 0 {
		t.Errorf("%d inserts, %d deletes, want 2 and 0", got.Inserts, got.Deletes)
	}
	w.wantProduct("1 a", "3 c")
	w.wantItem(statestore.LastFullLoadDate, statestore.NeverDate)
	w.change(product(), update(1, "A", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 A", "3 c")
	w.pass(time.Hour)
	w.load(product(), []any{5, "load", ""})
	w.run("store.product", replicate.Loaded)
	w.wantProduct("5 load")
}
