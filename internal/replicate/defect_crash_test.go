package replicate_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// TestDefect05 crashes between the writing of new files and the deleting of old ones.
func TestDefect05_AppendThenDeleteShowsRowsTwice(t *testing.T) {
	begin := func(t *testing.T) *versus {
		t.Helper()
		v := newVersus(t, product())
		v.load(v.table, []any{1, "a", "x"}, []any{2, "b", "x"})
		v.begin()
		v.both()
		v.change(v.table, update(1, "A", "x"))
		return v
	}
	twice := []string{"I 1 a x", "I 2 b x", "I 2 b x", "U 1 A x"}
	v := begin(t)
	v.sample.at("appended", func() error { v.wantWrong(twice...); return nil })
	v.sample.run()
	v.wantWrong("I 2 b x", "U 1 A x")

	v = begin(t)
	v.sample.at("appended", func() error { return errCrash })
	v.sample.run()
	v.wantWrong(twice...)
	v.sample.run() // rank keeps both copies, and so it stays for ever
	v.wantWrong("I 2 b x", "I 2 b x", "U 1 A x")

	// sluice is stopped at its first write of the lake, at its second, and so on, until it gets through.
	for n, done := 0, false; !done; n++ {
		writes := 0
		stop := func(string) error {
			if writes++; writes > n {
				return errCrash
			}
			rows := v.rows("product", "id")
			if !slices.Equal(rows, []string{"1", "2"}) {
				t.Errorf("before write %d a reader sees %v", writes, rows)
			}
			return nil
		}
		v = begin(t)
		lake := v.hook("lake")
		lake.put, lake.create = stop, stop
		got := v.tick()[v.name()]
		done = got.Action == replicate.Merged
		if !done && got.Action != replicate.Failed {
			t.Fatalf("stopped at write %d: %s (%s)", n+1, got.Action, got.Reason)
		}
		lake.put, lake.create = nil, nil
		v.tick()
		v.wantRight("I 2 b x", "U 1 A x")
		if t.Failed() || n > 50 {
			t.Fatalf("stopped at write %d", n+1)
		}
	}
}

// TestDefect06 starts a second run while the first is between append and delete, or between two lake files.
func TestDefect06_ASlowRunAndTheNextOneOverlap(t *testing.T) {
	v := newVersus(t, product())
	v.load(v.table, []any{1, "a", "x"}, []any{2, "b", "x"})
	v.begin()
	v.both()
	v.change(v.table, update(1, "A", "x"), insert(3, "c", "x"))
	v.sample.at("appended", func() error { v.sample.run(); return nil })
	v.sample.run()
	v.wantWrong("I 2 b x", "I 2 b x", "I 3 c x", "U 1 A x")

	var second replicate.Result
	lake := v.hook("lake")
	lake.create = func(key string) error {
		if strings.HasPrefix(key, "product/") {
			lake.create = nil
			owner := v.config.Owner
			v.config.Owner = "second"
			second = v.tick()[v.name()]
			v.config.Owner = owner
		}
		return nil
	}
	v.run(v.name(), replicate.Merged)
	if second.Action != replicate.Busy {
		t.Errorf("second run: %s (%s)", second.Action, second.Reason)
	}
	v.wantRight("I 2 b x", "I 3 c x", "U 1 A x")
	v.run(v.name(), replicate.Idle)
}

// TestDefect11 lets the full load fail while changes wait.
func TestDefect11_TheMergeRunsAlthoughTheLoadFailed(t *testing.T) {
	v := newVersus(t, product())
	v.load(v.table, []any{1, "a", "x"}, []any{2, "b", "x"})
	v.begin()
	v.change(v.table, update(1, "A", "x"), insert(3, "c", "x"))
	v.sample.at("overwriting", func() error { return errCrash })
	v.sample.run()
	v.wantWrong("I 3 c x")
	v.sample.run() // the load overwrites what was merged, and the changes count as done
	v.wantWrong("I 1 a x", "I 2 b x")

	lake := v.hook("lake")
	lake.create = func(string) error { return errCrash }
	got := v.run(v.name(), replicate.Failed)
	if files := v.files("product"); len(files) > 0 || !strings.HasSuffix(got.LastIncrementalFile, "/0.parquet") || got.LastFullLoadDate != statestore.NeverDate {
		t.Errorf("after the failed load: files %v, watermark %s, %s", files, got.LastFullLoadDate, got.LastIncrementalFile)
	}
	lake.create = nil
	v.run(v.name(), replicate.Merged)
	v.wantRight("I 2 b x", "I 3 c x", "U 1 A x")
}

// TestDefect12 crashes when the rows are in the lake and the watermark is not moved yet.
func TestDefect12_AKeylessTableDuplicatesOnRetry(t *testing.T) {
	v := newVersus(t, keyless())
	v.load(v.table, []any{1, "a", "x"})
	v.begin()
	v.both()
	v.change(v.table, insert(2, "b", "x"))
	v.sample.at("deleted", func() error { return errCrash })
	v.sample.run()
	v.sample.run()
	v.wantWrong("I 1 a x", "I 2 b x", "I 2 b x")

	lake, stopped := v.hook("lake"), 0
	lake.put = func(key string) error {
		if strings.Contains(key, "/index/") {
			stopped++
			return object.ErrDenied
		}
		return nil
	}
	v.run(v.name(), replicate.Failed)
	if v.wantRight("I 1 a x", "I 2 b x"); stopped == 0 {
		t.Error("nothing was stopped")
	}
	lake.put = nil
	v.run(v.name(), replicate.Merged)
	v.wantRight("I 1 a x", "I 2 b x")
	v.run(v.name(), replicate.Idle)
}
