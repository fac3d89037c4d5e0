//go:build linux

package main_test

import (
	"fmt"
	"sync"
)

// tally is what tests with processes counted.
type tally struct {
	writes, killed, stopped, processes int // processes, and writes at which they were

	overtakes                                    int // halts of loads that were replaced while they were loaded
	janitors, deleted                            int
	queries, changing, repeated, snapshots, keys int // of readers
	missing, wrong, doubled, slipped             int
}

func (f *tally) add(o tally) {
	f.writes += o.writes
	f.killed += o.killed
	f.stopped += o.stopped
	f.processes += o.processes
	f.overtakes += o.overtakes
	f.janitors += o.janitors
	f.deleted += o.deleted
	f.queries += o.queries
	f.changing += o.changing
	f.repeated += o.repeated
	f.snapshots += o.snapshots
	f.keys += o.keys
	f.missing += o.missing
	f.wrong += o.wrong
	f.doubled += o.doubled
	f.slipped += o.slipped
}

// String says what readers saw.
func (f *tally) String() string {
	text := fmt.Sprintf("readers looked at %d keys in %d snapshots of one instant", f.keys, f.snapshots)
	if f.queries > 0 {
		text += fmt.Sprintf(" and in %d queries, %d of them while files changed, %d repeated", f.queries, f.changing, f.repeated)
	}
	text += fmt.Sprintf(": %d missing, %d wrong, %d doubled", f.missing, f.wrong, f.doubled)
	if f.queries > 0 {
		text += fmt.Sprintf("; %d slipped past a listing that changed", f.slipped)
	}
	return text
}

// total adds up the tallies of tests that run side by side.
type total struct {
	mu sync.Mutex
	tally
}

func (t *total) add(f tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tally.add(f)
}
