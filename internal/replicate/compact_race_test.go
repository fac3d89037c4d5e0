package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
)

// merging is a table with small files to unite, and changes of rows in them that wait for a run.
func merging(t testing.TB) *bench {
	t.Helper()
	b := scattered(t)
	before := b.rows()
	b.change(update(1, "A", "y"), update(2, "B", "x"), remove(3, "c", "z"), insert(6, "f", "y"))
	between := b.wanted()
	b.change(update(4, "D", "z"), insert(7, "g", "new"))
	b.doubles = true
	return b.keep(before, between)
}

// TestCompactBesideARunWithoutALease lets a run merge while a compaction is at work on the same files, in many orders, while
// a reader looks after every write.
func TestCompactBesideARunWithoutALease(t *testing.T) {
	t.Parallel()
	const rounds = 100
	from, compacted := merging(t), 0
	for seed := range uint64(rounds) {
		b := from.fork()
		did, err := besideACompaction(b, seed)
		if compacted += did; err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if compacted < rounds/2 {
		t.Errorf("only %d of %d compactions had something to do", compacted, rounds)
	}
	rig.Figure(t, "races", "%d of a run and a compaction at once, without a lease", rounds)
}

func besideACompaction(b *bench, seed uint64) (compacted int, err error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	var wrong []error
	say := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, err)
	}
	lake := watched{b.lake, func() {
		if err := b.torn(); err != nil {
			say(fmt.Errorf("a reader: %w", err))
		}
	}, &sync.Mutex{}}
	engine := func(n uint64) *replicate.Engine {
		wait := dawdle(2*seed + n)
		return b.engineOn(dawdling{object.Store(lake), wait}, unleased{b.state, wait})
	}
	runs, compacts := engine(0), engine(1)
	group.Go(func() {
		for range 2 {
			_ = runs.Run(context.Background(), func(r replicate.Result) {
				if r.Action == replicate.Halted {
					say(errors.New(r.Reason))
				}
			})
		}
	})
	group.Go(func() {
		for range 2 {
			got, err := compacts.Compact(context.Background(), "store.product")
			if err != nil || got.Action == replicate.Halted {
				say(fmt.Errorf("%s %s: %w", got.Action, got.Reason, err))
			}
			if got.FilesEmptied > 0 {
				compacted = 1
			}
		}
	})
	group.Wait()
	return compacted, errors.Join(errors.Join(wrong...), b.settle(), b.wrong())
}
