package replicate_test

import (
	"context"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// muchToClean has an emptied file, old bookkeeping and an orphan that the janitor deletes, and a change for the worker.
func muchToClean(t testing.TB) *bench {
	t.Helper()
	b, _ := withEmptied(t)
	b.change(update(2, "B", "x"))
	b.must(b.settle())
	b.pass(40 * day)
	before := b.rows()
	b.change(update(1, "A", "x"), insert(5, "again", "z"), insert(6, "f", "new"))
	return b.keep(before)
}

// sweeping is a bucket with the janitor's last call.
type sweeping struct{ object.Store }

func (sweeping) AbortAbandoned(context.Context, string, time.Time) (int, error) { return 0, nil }

// janitor is a first run that cleans instead of working.
func janitor(b *bench, lake object.Store, state statestore.Backend) replicate.Result {
	got := b.janitorOn(sweeping{lake}, state)
	return replicate.Result{Action: got.Action, Reason: got.Reason, Err: got.Err}
}

// cleanAfterARun lets a worker run and the next janitor go on.
func cleanAfterARun(b *bench) {
	b.tickOn(b.lake, b.state)
	b.clean()
}

// cleanMuchLater lets so much time pass that everything may be deleted which nobody needs, and the janitor run.
func cleanMuchLater(b *bench) {
	b.pass(40 * day)
	if got := b.clean(); got.Err != nil {
		b.t.Errorf("janitor: %+v", got)
	}
}
