package replicate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

const day = 24 * time.Hour

// TestRuling05_Gone removes consumed inputs of a table with a load and two CDC files.
func TestRuling05_Gone(t *testing.T) {
	const load = "store/product/LOAD00000001.parquet"
	cases := []struct {
		name    string
		horizon time.Duration
		age     time.Duration // of the inputs when they go
		gone    func(first, second string) []string
		halts   bool
	}{
		{"the older change file", 7 * day, day, func(first, _ string) []string { return []string{first} }, true},
		{"the newer change file", 7 * day, day, func(_, second string) []string { return []string{second} }, true},
		{"the full load", 7 * day, day, func(_, _ string) []string { return []string{load} }, true},
		{"everything", 7 * day, day, func(a, b string) []string { return []string{load, a, b} }, true},
		{"everything, just inside the horizon", 7 * day, 7*day - time.Hour, func(a, b string) []string { return []string{load, a, b} }, true},
		{"everything, beyond the horizon", 7 * day, 7*day + time.Hour, func(a, b string) []string { return []string{load, a, b} }, false},
		{"the full load, beyond the horizon", 7 * day, 8 * day, func(_, _ string) []string { return []string{load} }, false},
		{"a change file, beyond the horizon", 7 * day, 8 * day, func(a, _ string) []string { return []string{a} }, false},
		{"beyond a shorter horizon", 2 * day, 3 * day, func(a, b string) []string { return []string{load, a, b} }, false},
		{"inside a longer horizon", 30 * day, 20 * day, func(a, b string) []string { return []string{load, a, b} }, true},
	}
	for _, layout := range []string{"", "YYYYMMDD", "DDMMYYYY"} {
		for _, c := range cases {
			t.Run(layout+" "+c.name, func(t *testing.T) {
				w := newWorld(t)
				w.config.Horizon = c.horizon
				s := dmsgen.DefaultSettings()
				s.DateFolders = layout
				w.start([]any{1, "a", ""})
				var keys []string
				for range 2 {
					w.pass(time.Minute)
					keys = append(keys, w.changeAs(s, w.now(), update(1, "b", "")))
					w.run("store.product", replicate.Merged)
				}
				w.pass(c.age)
				gone := c.gone(keys[0], keys[1])
				w.removeRaw(gone...)
				before := w.snapshot("product")
				if !c.halts {
					w.run("store.product", replicate.Idle)
					w.unchanged("store.product", productPath)
					w.change(product(), insert(2, "c", ""))
					w.run("store.product", replicate.Merged)
					w.wantProduct("1 b", "2 c")
					return
				}
				w.haltsWith("vanished", gone...)
				w.change(product(), insert(2, "c", ""))
				w.haltsWith("vanished", gone...)
				if !cmp.Equal(before, w.snapshot("product")) {
					t.Error("the lake was touched")
				}
				w.wantProduct("1 b")
				w.accept("")
				w.run("store.product", replicate.Merged)
				w.wantProduct("1 b", "2 c")
				w.unchanged("store.product", productPath)
			})
		}
	}
}

// emptied returns a halted world whose raw folder was emptied after a load and a change.
func emptied(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.start([]any{1, "a", ""}, []any{2, "b", ""})
	w.removeRaw(w.mergedChange(1, "c"), "store/product/LOAD00000001.parquet")
	w.pass(time.Hour)
	w.change(product(), insert(9, "z", ""))
	w.haltsWith("vanished")
	return w
}

// TestRuling05_ClearedByFullLoad wants the new full load complete; nobody has to acknowledge.
func TestRuling05_ClearedByFullLoad(t *testing.T) {
	w := emptied(t)
	w.pass(time.Minute)
	w.loadAs(single(2), w.now(), []any{2, "new", ""})
	w.haltsWith("vanished")
	w.wantProduct("1 c", "2 b")
	w.loadAs(single(1), w.now(), []any{1, "new", ""})
	w.run("store.product", replicate.Loaded)
	w.wantProduct("1 new", "2 new")
	w.wantItem(statestore.Status, "")
	w.wantItem(statestore.StatusReason, "")
	w.unchanged("store.product", productPath)
}

// TestRuling05_FenceKeepsTheHalt leaves a table halted whose reloads the operator wants to see first.
func TestRuling05_FenceKeepsTheHalt(t *testing.T) {
	w := emptied(t)
	w.set(productPath, map[string]string{statestore.ReloadPolicy: "fence"})
	w.load(product(), []any{1, "new", ""})
	w.haltsWith("vanished")
	w.wantProduct("1 c", "2 b")
}

// TestRuling05_AcceptTruncate is a defect's: the changes that came behind the truncation were consumed with it.
func TestRuling05_AcceptTruncate(t *testing.T) {
	w := emptied(t)
	w.accept("truncate")
	got := w.run("store.product", replicate.Merged)
	if got.Deletes != 2 || got.Inserts != 1 || got.FilesEmptied != 1 {
		t.Errorf("%d deletes, %d inserts, %d files emptied, want 2, 1 and 1", got.Deletes, got.Inserts, got.FilesEmptied)
	}
	w.wantProduct("9 z")
	w.unchanged("store.product", productPath)
}

// TestRuling05_AcceptTruncateAlone leaves an empty table with its columns.
func TestRuling05_AcceptTruncateAlone(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""}, []any{2, "b", ""})
	w.removeRaw("store/product/LOAD00000001.parquet")
	w.haltsWith("vanished", "--accept truncate")
	w.accept("truncate")
	w.run("store.product", replicate.Merged)
	w.wantProduct()
	w.unchanged("store.product", productPath)
	w.change(product(), insert(3, "c", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("3 c")
}

// TestRuling05_VanishedWhileTouched is a defect's: a full load recorded again forgot what had vanished beside it.
func TestRuling05_VanishedWhileTouched(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	key := w.mergedChange(1, "b")
	w.pass(time.Hour)
	w.dateRaw("store/product/LOAD00000001.parquet", w.now())
	w.removeRaw(key)
	w.haltsWith("vanished", key)
	w.accept("")
	w.run("store.product", replicate.Idle)
	w.wantProduct("1 b")
	w.unchanged("store.product", productPath)
}

// TestRuling05_Superseded counts files that a load superseded as consumed, too.
func TestRuling05_Superseded(t *testing.T) {
	w := newWorld(t)
	key := w.change(product(), insert(1, "old", ""))
	w.pass(time.Minute)
	w.start([]any{1, "a", ""})
	w.removeRaw(key)
	w.haltsWith("vanished", key)
}

// TestRuling05_OneListing has one LIST show CDC files, late files and LOAD files together.
func TestRuling05_OneListing(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""}, []any{2, "b", ""})
	w.mergedChange(1, "c")
	w.pass(30 * day)
	w.mergedChange(1, "d")
	anchor, _, _ := strings.Cut(w.item(productPath)[statestore.InputsDigest], "|")
	if !strings.HasPrefix(anchor, "store/product/2026040") {
		t.Errorf("anchor %q is not near the horizon's first key", anchor)
	}
	w.changeAt(product(), w.now().Add(-3*day), update(2, "late", ""))
	w.change(product(), insert(3, "new", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 d", "2 late", "3 new")
	w.pass(time.Minute)
	w.load(product(), []any{1, "load", ""})
	w.run("store.product", replicate.Loaded)
	w.wantProduct("1 load")
}
