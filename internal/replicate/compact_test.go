package replicate_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// compact compacts the table.
func (b *bench) compact() replicate.Result {
	b.t.Helper()
	got, err := b.engineOn(b.lake, b.state).Compact(b.t.Context(), "store.product")
	b.must(err)
	return got
}

// stored lists the lake's bucket: ETags by key.
func (b *bench) stored() map[string]string {
	stored := map[string]string{}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{}) {
		b.must(err)
		stored[entry.Key] = entry.ETag
	}
	return stored
}

// liveFiles counts the lake files with rows by folder.
func (b *bench) liveFiles() map[string]int {
	live := map[string]int{}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		if file := b.decode(entry.Info); len(file.Rows) > 0 {
			live[entry.Key[:strings.LastIndex(entry.Key, "/")+1]]++
		}
	}
	return live
}

func TestCompact_UnitesSmallFiles(t *testing.T) {
	t.Parallel()
	b := scattered(t)
	before, rows, was := b.item(), b.rows(), b.liveFiles()
	if was["product/dept=y/"] < 2 || was["product/dept=z/"] < 2 {
		t.Fatalf("nothing to unite: %v", was)
	}
	forecast, err := b.engineOn(b.lake, b.state).ForecastCompact(t.Context(), "store.product")
	b.must(err)
	if diff := cmp.Diff(before, b.item()); diff != "" || forecast.Action != replicate.Compacted || forecast.FilesCreated != 2 || forecast.Rows != 5 {
		t.Errorf("forecast %+v, item (-want +got):\n%s", forecast, diff)
	}
	got := b.compact()
	if got.Action != replicate.Compacted || got.FilesCreated != 2 || got.FilesEmptied != int64(was["product/dept=y/"]+was["product/dept=z/"]) || got.FilesEmptied != forecast.Rewritten {
		t.Errorf("got %+v, forecast %+v", got, forecast)
	}
	if got.Inputs != 0 || got.Counts != (replicate.Counts{}) {
		t.Errorf("a compaction that changes rows: %+v", got)
	}
	if diff := cmp.Diff(rows, b.rows()); diff != "" {
		t.Errorf("rows (-before +behind):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"product/dept=y/": 1, "product/dept=z/": 1}, b.liveFiles()); diff != "" {
		t.Errorf("live files (-want +got):\n%s", diff)
	}
	behind := b.item()
	for _, name := range []string{statestore.Seq, statestore.Index} {
		if before[name] == behind[name] {
			t.Errorf("%s is as before", name)
		}
		delete(before, name)
		delete(behind, name)
	}
	if diff := cmp.Diff(before, behind); diff != "" {
		t.Errorf("item (-before +behind):\n%s", diff)
	}
	b.must(b.wrong())

	stored := b.stored()
	if again := b.compact(); again.Action != replicate.Idle || again.BytesWritten != 0 {
		t.Errorf("compacted again: %+v", again)
	}
	if diff := cmp.Diff(stored, b.stored()); diff != "" {
		t.Errorf("compacted again, the store (-before +behind):\n%s", diff)
	}

	b.change(update(1, "A", "z"), insert(6, "f", "y"))
	b.must(b.settle())
	b.must(b.wrong())
	b.verified()
	b.rebuild()
	b.must(b.wrong())
}

func TestCompact_Refuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		disturb func(b *bench)
		want    string
	}{
		"a table that is halted": {func(b *bench) {
			b.must(b.raw.Delete(b.t.Context(), strings.TrimPrefix(b.watermark, "raw/"), ""))
			if !b.halts("vanished") {
				b.t.Fatal("not halted")
			}
		}, "is halted: vanished:"},
		"a table that is off": {func(b *bench) {
			_, err := b.engineOn(b.lake, b.state).Deactivate(b.t.Context(), "store.product")
			b.must(err)
		}, "sluice activate store.product"},
		"a table of other partitions": {func(b *bench) { b.activate("id", "name") }, "is not what the lake of store.product is partitioned by"},
		"what was accepted": {func(b *bench) {
			_, err := b.state.Update(b.t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.Accept: "reload"}})
			b.must(err)
		}, "sluice run does it, then compact"},
		"a table that nobody worked on": {func(b *bench) {
			_, err := b.state.Update(b.t.Context(), statestore.Update{Path: benchPath, Remove: []string{statestore.Ledger}})
			b.must(err)
		}, "no run has worked on store.product yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := scattered(t)
			tc.disturb(b)
			stored := b.stored()
			e := b.engineOn(b.lake, b.state)
			_, err := e.Compact(t.Context(), "store.product")
			_, dry := e.ForecastCompact(t.Context(), "store.product")
			for _, err := range []error{err, dry} {
				if !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %q in it", err, tc.want)
				}
			}
			if diff := cmp.Diff(stored, b.stored()); diff != "" {
				t.Errorf("the store (-before +behind):\n%s", diff)
			}
		})
	}
}

// TestCompact_OfABusyTable leaves the table to whoever holds it.
func TestCompact_OfABusyTable(t *testing.T) {
	t.Parallel()
	b := scattered(t)
	b.must(statestore.New(b.state).Claim(t.Context(), benchPath, "somebody else", 1e12))
	if got := b.compact(); got.Action != replicate.Busy {
		t.Errorf("got %+v", got)
	}
}

// TestCompact_GoesOnCommitByCommit has more to do than one commit takes.
func TestCompact_GoesOnCommitByCommit(t *testing.T) {
	t.Parallel()
	b := newBench(t, product())
	b.config.TargetFileBytes = 64 << 20
	var rows [][]any
	for i := range 24 {
		rows = append(rows, []any{i, wide(uint64(i), 500<<10), string(rune('a' + i/8))})
	}
	b.load(24, rows...)
	b.begin("id", "dept")
	b.must(b.settle())
	b.config.TargetFileBytes = 1 << 20 // three files of 4 MB each: two of them are one commit's
	was := b.rows()
	got := b.compact()
	seq := b.item()[statestore.Seq]
	if got.Action != replicate.Compacted || got.FilesEmptied != 3 || got.FilesCreated != 12 || !strings.HasSuffix(seq, "3") {
		t.Errorf("seq %s: %+v", seq, got)
	}
	if diff := cmp.Diff(was, b.rows()); diff != "" {
		t.Errorf("rows (-before +behind):\n%s", diff)
	}
	if again := b.compact(); again.Action != replicate.Idle {
		t.Errorf("compacted again: %+v", again)
	}
	b.must(b.wrong())
	var kinds []replicate.Kind
	_, err := b.engineOn(b.lake, b.state).History(context.Background(), "store.product", replicate.HistoryQuery{}, func(c replicate.Commit) {
		kinds = append(kinds, c.Kind)
		if c.State != replicate.Finished || c.Kind == replicate.KindCompact && (c.FilesEmptied == 0 || c.FilesCreated == 0 || c.Inputs != 0) {
			t.Errorf("history: %+v", c)
		}
	})
	b.must(err)
	if !slices.Contains(kinds, replicate.KindCompact) {
		t.Errorf("history has %v", kinds)
	}
}

// TestCompact_OfADamagedFile meets a lake file whose footer is right and whose pages are not: it can be undone, and the
// table goes on.
func TestCompact_OfADamagedFile(t *testing.T) {
	t.Parallel()
	b := scattered(t)
	live := b.liveFiles()
	for entry, err := range b.lake.List(t.Context(), object.ListInput{Prefix: "product/dept=y/"}) {
		b.must(err)
		if len(b.decode(entry.Info).Rows) > 0 {
			b.broken = entry.Key
		}
	}
	body, _ := readObject(t, b.lake, b.broken)
	whole := slices.Clone(body)
	for i := range 40 {
		body[4+i] ^= 0x5a
	}
	b.put(b.broken, body)
	got := b.compact()
	if got.Action != replicate.Halted || !strings.HasPrefix(got.Reason, "foreign: ") || !strings.Contains(got.Reason, b.broken) {
		t.Fatalf("got %+v", got)
	}
	b.acknowledge("foreign")
	b.must(b.settle())
	b.put(b.broken, whole)
	if diff := cmp.Diff(live, b.liveFiles()); diff != "" {
		t.Errorf("live files (-before +behind):\n%s", diff)
	}
	b.must(b.settle())
	if got := b.compact(); got.Action != replicate.Compacted {
		t.Errorf("compacted, now that it is whole: %+v", got)
	}
	b.must(b.wrong())
}

// TestCompact_LeavesAloneWhatCannotBeRead puts the others together.
func TestCompact_LeavesAloneWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := scattered(t)
	key := ""
	for entry, err := range b.lake.List(t.Context(), object.ListInput{Prefix: "product/dept=z/"}) {
		b.must(err)
		key = entry.Key
	}
	body, _ := readObject(t, b.lake, key)
	item := b.item()
	got := b.engineOn(unreadableAt{b.lake, key}, b.state)
	r, err := got.Compact(t.Context(), "store.product")
	if b.must(err); r.Action != replicate.Compacted {
		t.Errorf("got %+v", r)
	}
	if now, _ := readObject(t, b.lake, key); !slices.Equal(now, body) || item[statestore.Seq] == b.item()[statestore.Seq] {
		t.Error("the file that cannot be read was touched, or nothing was done")
	}
	b.must(b.wrong())
}

// unreadableAt is a store that gives one object's end as something else.
type unreadableAt struct {
	object.Store
	key string
}

func (u unreadableAt) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	body, info, err := u.Store.Get(ctx, key, in)
	if err == nil && key == u.key {
		_ = body.Close()
		body = io.NopCloser(strings.NewReader(strings.Repeat("x", int(in.Length))))
	}
	return body, info, err
}
