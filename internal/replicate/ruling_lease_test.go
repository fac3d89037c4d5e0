package replicate_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/statestore"
)

func TestRuling23_ASecondRunIsBusy(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	claim := func() {
		if err := w.state.Claim(t.Context(), storyPath, "another run", 90*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	claim()
	w.run(storyTable, replicate.Idle) // nothing is new: the lease does not matter
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Busy)
	w.wantRows("id, v", "1 a")
	if err := w.state.Release(t.Context(), storyPath, "another run"); err != nil {
		t.Fatal(err)
	}
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'AA'"))
	claim()
	w.run(storyTable, replicate.Busy)
	w.pass(91 * time.Second)
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 AA")
}

func TestRuling23_ALocalLeaseEndsWithItsHolder(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.root, "control.db")
	open := func() statestore.Store {
		file, err := statestore.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		return statestore.New(file)
	}
	w.state = open()
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	file, err := statestore.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Claim(t.Context(), storyPath, "another run", 90*time.Second); err != nil {
		t.Fatal(err)
	}
	w.run(storyTable, replicate.Busy)
	w.pass(time.Hour)
	w.run(storyTable, replicate.Busy) // no clock ends it
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
}

// unrenewed is a control table that fails when a lease is to be renewed.
type unrenewed struct {
	statestore.Backend
	asked *int
}

func (u unrenewed) Renew(context.Context, string, string, time.Duration) error {
	*u.asked++
	return errors.New("throttled")
}

// A run whose lease could not be renewed failed, though the lease only saves work.
func TestRuling23_ALeaseThatCannotBeRenewedFailsNothing(t *testing.T) {
	b := partitioned(t)
	b.change(insert(6, "f", "new"), update(1, "A", "x"))
	asked := 0
	slow := standing{b.lake, func() { *b.clock = b.clock.Add(31 * time.Second) }}
	if got := b.tickOn(slow, unrenewed{b.state, &asked}); got.Action != replicate.Merged || asked == 0 {
		t.Errorf("action %s (%s) after %d renewals, want merged", got.Action, got.Reason, asked)
	}
	b.must(b.wrong())
}
