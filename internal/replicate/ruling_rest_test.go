package replicate_test

import (
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// TestRuling03_SupersededOnce is a defect's: files that a load superseded were consumed anew by each day's
// first run once they were too old for the ledger.
func TestRuling03_SupersededOnce(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.change(product(), update(1, "old", ""))
	}
	w.pass(time.Minute)
	w.load(product(), []any{1, "load", ""})
	w.activate("store.product", "id", "")
	if got := w.run("store.product", replicate.Loaded); got.Superseded != 3 {
		t.Errorf("superseded %d, want 3", got.Superseded)
	}
	w.pass(10 * day)
	w.mergedChange(1, "change") // the ledger is written anew, without what is older than the horizon
	for range 3 {
		w.pass(day)
		w.run("store.product", replicate.Idle)
		w.unchanged("store.product", productPath)
	}
	w.wantProduct("1 change")
}

// TestRuling03_WatermarkNeverMovesBack lets late and superseded files come, and inputs vanish.
func TestRuling03_WatermarkNeverMovesBack(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	w.pass(time.Hour)
	key := w.mergedChange(1, "b")
	w.changeAt(product(), noon.Add(time.Minute), insert(2, "late", ""))
	w.run("store.product", replicate.Merged)
	w.wantItem(statestore.LastIncrementalFile, "raw/"+key)
	w.changeAt(product(), noon.Add(-time.Minute), insert(3, "superseded", ""))
	w.run("store.product", replicate.Merged)
	w.wantItem(statestore.LastIncrementalFile, "raw/"+key)
	w.removeRaw(key)
	w.haltsWith("vanished")
	w.wantItem(statestore.LastIncrementalFile, "raw/"+key)
	w.accept("")
	w.run("store.product", replicate.Idle)
	w.wantItem(statestore.LastIncrementalFile, "raw/"+key)
	w.dateRaw("store/product/LOAD00000001.parquet", w.now())
	w.run("store.product", replicate.Idle)
	w.wantItem(statestore.LastIncrementalFile, "raw/"+key)
}

// TestRuling03_GenerationInOneFinish applies nothing of the old changes on top of the new load when
// the run ends between the two.
func TestRuling03_GenerationInOneFinish(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	old := w.mergedChange(1, "b")
	w.pass(time.Minute)
	w.load(product(), []any{1, "reload", ""})
	w.config.Settle = time.Minute
	w.pass(time.Minute)
	w.changeAt(product(), w.now(), update(1, "young", ""))
	w.run("store.product", replicate.Loaded) // the young change waits for its minute
	w.wantItem(statestore.LastIncrementalFile, "raw/"+old)
	w.wantProduct("1 reload")
	w.pass(time.Minute)
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 young")
}

// TestInputs_Settle ends a batch at the first input in order that is too young, whatever lies behind it.
func TestInputs_Settle(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	w.config.Settle = 5 * time.Minute
	w.pass(10 * time.Minute)
	w.changeAt(product(), noon.Add(time.Minute), insert(2, "old", ""))
	young := w.changeAt(product(), noon.Add(2*time.Minute), insert(3, "young", ""))
	w.dateRaw(young, w.now())
	w.changeAt(product(), noon.Add(3*time.Minute), insert(4, "old", ""))
	if got := w.run("store.product", replicate.Merged); got.Inputs != 1 {
		t.Errorf("consumed %d inputs, want 1", got.Inputs)
	}
	w.wantProduct("1 a", "2 old")
	w.unchanged("store.product", productPath)
	w.pass(5 * time.Minute)
	if got := w.run("store.product", replicate.Merged); got.Inputs != 2 {
		t.Errorf("consumed %d inputs, want 2", got.Inputs)
	}
	w.wantProduct("1 a", "2 old", "3 young", "4 old")
}

// TestInputs_ParallelLoad loads all segments, named and numbered, as one set.
func TestInputs_ParallelLoad(t *testing.T) {
	w := newWorld(t)
	numbered := dmsgen.DefaultSettings()
	numbered.Segment = 1
	for i, s := range []dmsgen.Settings{inSegment("0"), inSegment("2026"), inSegment("p1"), numbered, single(1)} {
		w.loadAs(s, w.now().Add(time.Duration(i)*time.Second), []any{i, "load", ""})
	}
	w.pass(time.Minute)
	w.activate("store.product", "id", "")
	if got := w.run("store.product", replicate.Loaded); got.Inputs != 5 {
		t.Errorf("consumed %d inputs, want 5", got.Inputs)
	}
	w.wantProduct("0 load", "1 load", "2 load", "3 load", "4 load")
	w.mergedChange(1, "change")
	w.unchanged("store.product", productPath)
}

// TestInputs_FoldersSwitchedOn writes CDC files into date folders from a day on. Those may sort before the
// anchor, so that they are found by the next day's first run at the latest, and none is lost.
func TestInputs_FoldersSwitchedOn(t *testing.T) {
	for _, delimiter := range []string{"SLASH", "DASH", "UNDERSCORE", "NONE"} {
		for _, sequence := range []string{"YYYYMMDD", "YYYYMM", "DDMMYYYY"} {
			t.Run(sequence+" "+delimiter, func(t *testing.T) {
				w := newWorld(t)
				w.start([]any{1, "a", ""})
				w.mergedChange(1, "b")
				s := dmsgen.DefaultSettings()
				s.DateFolders, s.DateDelimiter = sequence, delimiter
				w.pass(time.Hour)
				w.changeAs(s, w.now(), update(1, "c", ""))
				w.tick()
				w.pass(day)
				w.changeAs(s, w.now(), insert(2, "d", ""))
				w.tick()
				w.wantProduct("1 c", "2 d")
				w.pass(time.Minute)
				w.changeAs(s, w.now(), insert(3, "e", ""))
				w.run("store.product", replicate.Merged)
				w.wantProduct("1 c", "2 d", "3 e")
			})
		}
	}
}

// TestInputs_DaysFirstRun lists the whole folder and writes the day of it, nothing else; the next run writes nothing.
func TestInputs_DaysFirstRun(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	w.mergedChange(1, "b")
	lake := w.snapshot("")
	for n := range 20 {
		w.pass(day)
		before := w.item(productPath)
		w.run("store.product", replicate.Idle)
		after := w.item(productPath)
		if after[statestore.ListedOn] == before[statestore.ListedOn] {
			t.Errorf("day %d: ListedOn stayed %s", n, after[statestore.ListedOn])
		}
		w.unchanged("store.product", productPath)
	}
	if got := w.snapshot(""); len(got) != len(lake) {
		t.Errorf("the lake bucket has %d files, had %d", len(got), len(lake))
	}
}
