package replicate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// rawKeys returns the keys of raw that hold the text, in order.
func (b *bench) rawKeys(text string) []string {
	b.t.Helper()
	var keys []string
	for entry, err := range b.raw.List(b.t.Context(), object.ListInput{}) {
		b.must(err)
		if strings.Contains(entry.Key, text) {
			keys = append(keys, entry.Key)
		}
	}
	return keys
}

func (b *bench) removeRaw(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.must(b.raw.Delete(b.t.Context(), key, ""))
	}
}

// everything says what lies in the lake's bucket, bookkeeping and all, so that two moments can be compared.
func (b *bench) everything() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{}) {
		b.must(err)
		all[entry.Key] = entry.ETag
	}
	return all
}

// TestRebuild_Refuses says for each state in which a table cannot be rebuilt that this is said, with
// what is missing and what to do, and that nothing is written.
func TestRebuild_Refuses(t *testing.T) {
	t.Parallel()
	month := 30 * 24 * time.Hour
	for name, tc := range map[string]struct {
		make  func(b *bench)
		texts []string
	}{
		"inactive": {func(b *bench) {
			_, err := b.engineOn(b.lake, b.state).Deactivate(b.t.Context(), "store.product")
			b.must(err)
		}, []string{"not active", "sluice activate store.product"}},
		"commit under way": {func(b *bench) {
			b.change(insert(9, "i", "x"))
			b.diesPending(func() bool { return true })
		}, []string{"commit under way", "sluice run"}},
		"accept that no run has seen": {func(b *bench) {
			b.load(10, []any{1, "n", "x"})
			b.attributes(map[string]string{statestore.ReloadPolicy: "fence"})
			b.halts("reload")
			b.acknowledge("reload")
		}, []string{"(reload) is still to be done", "sluice run"}},
		"never loaded": {func(b *bench) {
			b.attributes(map[string]string{statestore.Ledger: ""})
		}, []string{"not loaded yet"}},
		"new full load":  {func(b *bench) { b.load(10, []any{1, "n", "x"}) }, []string{"new full load", "sluice run loads it"}},
		"full load gone": {func(b *bench) { b.removeRaw(b.rawKeys("LOAD")...) }, []string{"missing store/product/LOAD00000001.parquet", "new full load"}},
		"part of the full load gone, long ago": {func(b *bench) {
			*b.clock = b.clock.Add(month)
			b.removeRaw(b.rawKeys("LOAD00000002")...)
		}, []string{"missing store/product/LOAD00000002.parquet"}},
		"full load expired and forgotten": {func(b *bench) {
			*b.clock = b.clock.Add(month)
			b.removeRaw(b.rawKeys("LOAD")...)
			b.change(update(2, "b2", "x"))
			b.must(b.settle())
		}, []string{"missing store/product/LOAD00000001.parquet, store/product/LOAD00000002.parquet"}},
		"full load gone, acknowledged": {func(b *bench) {
			b.removeRaw(b.rawKeys("LOAD00000002")...)
			b.halts("vanished")
			b.acknowledge("")
			b.must(b.settle())
		}, []string{"missing store/product/LOAD00000002.parquet"}},
		"change file gone": {func(b *bench) { b.removeRaw(b.rawKeys("/2026")[0]) }, []string{"missing store/product/2026"}},
		"change file expired": {func(b *bench) {
			*b.clock = b.clock.Add(month)
			b.removeRaw(b.rawKeys("/2026")[0])
		}, []string{"missing store/product/2026"}},
		"change file expired, its commit cleaned away": {func(b *bench) {
			*b.clock = b.clock.Add(month)
			b.removeRaw(b.rawKeys("/2026")[1])
			b.cleanCommits()
		}, []string{"come from 4 inputs", "2 full-load objects and 1 change files", "no longer recorded"}},
		"change file replaced by another": {func(b *bench) {
			*b.clock = b.clock.Add(month)
			b.removeRaw(b.rawKeys("/2026")[1])
			b.cleanCommits()
			_, err := b.writer(dmsgen.DefaultSettings()).WriteChanges(b.t.Context(), b.table, noon.Add(10*time.Minute), insert(80, "x", "x"))
			b.must(err)
		}, []string{"not all of them the same"}},
		"nothing left of a truncated table": {(*bench).truncate, []string{"nothing in raw"}},
		"object in the lake folder that is none of its files": {
			func(b *bench) { b.put("product/README", []byte("ours, please keep")) },
			[]string{"product/README", "no Parquet file", "take it away"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, product())
			b.load(1, []any{1, "a", "x"}, []any{2, "b", "y"})
			b.begin("id", "dept")
			b.must(b.settle())
			b.change(insert(3, "c", "y"))
			b.must(b.settle())
			b.change(update(1, "A", "x"))
			b.must(b.settle())
			tc.make(b)
			lake, item := b.everything(), b.item()
			for _, do := range []func(e *replicate.Engine) error{
				func(e *replicate.Engine) error { _, err := e.Rebuild(t.Context(), "store.product"); return err },
				func(e *replicate.Engine) error { _, err := e.ForecastRebuild(t.Context(), "store.product"); return err },
			} {
				err := do(b.engineOn(b.lake, b.state))
				if !errors.Is(err, replicate.ErrUsage) {
					t.Fatalf("not refused: %v", err)
				}
				for _, text := range tc.texts {
					if !strings.Contains(err.Error(), text) {
						t.Errorf("nothing of %q in %q", text, err)
					}
				}
			}
			if diff := cmp.Diff(item, b.item()); diff != "" {
				t.Errorf("item (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(lake, b.everything()); diff != "" {
				t.Errorf("lake bucket (-before +after):\n%s", diff)
			}
		})
	}
}

// attributes sets attributes of the item as an operator does in the console; "" removes one.
func (b *bench) attributes(set map[string]string) {
	b.t.Helper()
	u := statestore.Update{Path: benchPath, Set: map[string]string{}}
	for name, v := range set {
		if v == "" {
			u.Remove = append(u.Remove, name)
		} else {
			u.Set[name] = v
		}
	}
	_, err := b.state.Update(b.t.Context(), u)
	b.must(err)
}

// cleanCommits deletes what a month later is cleaned away.
func (b *bench) cleanCommits() {
	b.t.Helper()
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "_sluice/product/commits/"}) {
		b.must(err)
		b.must(b.lake.Delete(b.t.Context(), entry.Key, ""))
	}
}

// TestRebuild_StopsAtWhatStopsARun: an input that cannot be read halts neither less nor more than before, and the lake stays.
func TestRebuild_StopsAtWhatStopsARun(t *testing.T) {
	t.Parallel()
	b := lived(t)
	key := b.rawKeys("/2026")[0]
	right, info := readObject(t, b.raw, key)
	_, err := b.raw.Put(t.Context(), key, []byte("broken"), object.PutInput{})
	b.must(errors.Join(err, b.raw.SetLastModified(key, info.LastModified)))
	item := b.item()
	got, err := b.engineOn(b.lake, b.state).Rebuild(t.Context(), "store.product")
	if err != nil || got.Action != replicate.Halted || !strings.HasPrefix(got.Reason, "input: ") || !strings.Contains(got.Reason, key) || !strings.Contains(got.Reason, "its lake is as it was") {
		t.Errorf("%s: %s, %v", got.Action, got.Reason, err)
	}
	if diff := cmp.Diff(item, b.item()); diff != "" {
		t.Errorf("item (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(b.wanted(), b.rows()); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	_, err = b.raw.Put(t.Context(), key, right, object.PutInput{})
	b.must(errors.Join(err, b.raw.SetLastModified(key, info.LastModified)))
	b.rebuild()
	b.must(b.wrong())
}

// TestRebuild_OfATableNobodyKnows registers nothing.
func TestRebuild_OfATableNobodyKnows(t *testing.T) {
	t.Parallel()
	b := newBench(t, product())
	b.load(1, []any{1, "a", "x"})
	_, err := b.engineOn(b.lake, b.state).Rebuild(t.Context(), "store.product")
	if !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), "is registered") {
		t.Errorf("got %v", err)
	}
	if _, err := b.state.Read(t.Context(), benchPath); !errors.Is(err, statestore.ErrNotFound) {
		t.Errorf("registered: %v", err)
	}
}
