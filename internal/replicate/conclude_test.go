package replicate_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// meddling is a control table that something happens at before an update of it.
type meddling struct {
	statestore.Backend
	before func(u statestore.Update) error
}

func (m meddling) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	if err := m.before(u); err != nil {
		return nil, err
	}
	return m.Backend.Update(ctx, u)
}

// brokenInput is a table whose next change file is of an op that is none.
func brokenInput(t *testing.T) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(insert(6, "f", "new"))
	b.must(b.settle())
	key, err := b.writer(b.writes).WriteChanges(t.Context(), b.table, b.now().Add(time.Second), update(1, "A", "x"))
	b.must(err)
	_, err = b.raw.Put(t.Context(), key, []byte("not Parquet"), object.PutInput{})
	b.must(err)
	return b
}

func isHalt(u statestore.Update) bool { return u.Set[statestore.Status] == statestore.StatusHalted }

// TestAHaltThatCannotBeRecordedFails: nobody would look at a table that only a run knows to be halted.
func TestAHaltThatCannotBeRecordedFails(t *testing.T) {
	b := brokenInput(t)
	got := b.tickOn(b.lake, meddling{b.state, func(u statestore.Update) error {
		if isHalt(u) {
			return errors.New("throttled")
		}
		return nil
	}})
	if got.Action != replicate.Failed || !strings.HasPrefix(got.Reason, "input: ") || !strings.Contains(got.Reason, "throttled") || got.NewlyHalted {
		t.Errorf("got %s: %s", got.Action, got.Reason)
	}
	if b.item().Halted() {
		t.Error("the item is halted")
	}
	if got := b.tickOn(b.lake, b.state); got.Action != replicate.Halted || !got.NewlyHalted {
		t.Errorf("the next run: %s: %s, newly %t", got.Action, got.Reason, got.NewlyHalted)
	}
}

// TestAHaltOverWhatCannotBeReadFails: the update that halts meets another one, and the item cannot be read to find out
// whose. The result said halted, not newly, so that nobody was told, of a table that was not.
func TestAHaltOverWhatCannotBeReadFails(t *testing.T) {
	b := brokenInput(t)
	away := false
	got := b.tickOn(b.lake, unreadable{meddling{b.state, func(u statestore.Update) error {
		if isHalt(u) {
			away = true
			return statestore.ErrConflict
		}
		return nil
	}}, &away})
	if got.Action != replicate.Failed || got.NewlyHalted || b.item().Halted() {
		t.Errorf("got %s: %s, newly %t, item halted %t", got.Action, got.Reason, got.NewlyHalted, b.item().Halted())
	}
}

// unreadable is a control table that cannot be read any more once it is away.
type unreadable struct {
	statestore.Backend
	away *bool
}

func (u unreadable) Read(ctx context.Context, path string) (statestore.Item, error) {
	if *u.away {
		return nil, errors.New("no answer")
	}
	return u.Backend.Read(ctx, path)
}

// TestAHaltIsRecordedByARunThatIsToldToStop: its deadline is no reason to find out once more.
func TestAHaltIsRecordedByARunThatIsToldToStop(t *testing.T) {
	b := brokenInput(t)
	*b.clock = b.clock.Add(2 * time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	e := b.engineOn(b.lake, meddling{b.state, func(u statestore.Update) error {
		if isHalt(u) {
			stop()
		}
		return nil
	}})
	if err := e.Run(ctx, func(replicate.Result) {}); !errors.Is(err, context.Canceled) && err != nil {
		t.Error(err)
	}
	if item := b.item(); !item.Halted() || item[statestore.LeaseOwner] != "" {
		t.Errorf("the item: %v", item)
	}
}

// TestAHaltThatAnotherRunRecordedIsNotNew has two runs judge the same input.
func TestAHaltThatAnotherRunRecordedIsNotNew(t *testing.T) {
	b := brokenInput(t)
	once := false
	got := b.tickOn(b.lake, unleased{meddling{b.state, func(u statestore.Update) error {
		if isHalt(u) && !once {
			once = true
			if first := b.tickOn(b.lake, unleased{b.state, func() {}}); !first.NewlyHalted {
				t.Errorf("the other run: %s: %s", first.Action, first.Reason)
			}
		}
		return nil
	}}, func() {}})
	if got.Action != replicate.Halted || got.NewlyHalted || !once {
		t.Errorf("got %s: %s, newly %t", got.Action, got.Reason, got.NewlyHalted)
	}
}

// TestARunThatLosesTheTableSaysWhatItDid merges one batch and finds the next one's commit finished by another run.
func TestARunThatLosesTheTableSaysWhatItDid(t *testing.T) {
	b := partitioned(t)
	b.change(insert(6, "f", "new"))
	bodies := 0
	var lake standing
	lake = standing{b.lake, func() {
		bodies++
		switch bodies {
		case 1:
			b.change(insert(7, "g", "newer")) // for a second commit of the same run
		case 2:
			lake.still = nil
			b.must(b.settle())
			*b.clock = b.clock.Add(time.Hour)
		}
	}}
	got := b.tickOn(&lake, unleased{b.state, func() {}})
	if got.Action != replicate.Merged || got.Inserts != 1 || bodies != 2 {
		t.Errorf("got %s: %s, %d inserts, %d bodies", got.Action, got.Reason, got.Inserts, bodies)
	}
	b.must(b.settle())
	b.must(b.wrong())
}

// TestAHaltThatCannotBeClearedFailsTheRun: a new full load ended the halt, and the control table does not take it.
func TestAHaltThatCannotBeClearedFailsTheRun(t *testing.T) {
	b := vanishedThenReload(t)
	before, asked := b.rows(), 0
	got := b.tickOn(b.lake, meddling{b.state, func(u statestore.Update) error {
		if !slices.Contains(u.Remove, statestore.StatusReason) {
			return nil
		}
		if asked++; asked > 20 {
			runtime.Goexit() // it would go on for ever
		}
		return errors.New("throttled")
	}})
	if got.Action != replicate.Failed || asked != 1 || !b.item().Halted() {
		t.Errorf("got %s: %s, asked %d times", got.Action, got.Reason, asked)
	}
	if diff := cmp.Diff(before, b.rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	b.doubles = true
	b.must(b.settle())
	b.must(b.wrong())
}
