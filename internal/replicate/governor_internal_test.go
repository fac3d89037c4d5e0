package replicate

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestGovernor_neverGivesMoreThanThereIs: a huge thing goes alone, small ones side by side, and all of them go.
func TestGovernor_neverGivesMoreThanThereIs(t *testing.T) {
	g := newGovernor(MinMemoryBytes)
	var held, done atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		want := []int64{0, 1 << 20, g.all / 3, g.all, 100 * g.all}[rng.IntN(5)]
		group.Go(func() error {
			release, err := g.take(ctx, want)
			if err != nil {
				return err
			}
			if now := held.Add(min(want, g.all)); now > g.all {
				t.Errorf("%d bytes are held of %d", now, g.all)
			}
			runtime.Gosched()
			held.Add(-min(want, g.all))
			done.Add(1)
			release()
			release() // once is enough
			return nil
		})
	}
	if err := group.Wait(); err != nil || done.Load() != 300 {
		t.Fatalf("%d of 300 went, %v", done.Load(), err)
	}
}

func TestGovernor_waitingEndsWithTheRun(t *testing.T) {
	g := newGovernor(MinMemoryBytes)
	release, err := g.take(t.Context(), g.all)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.take(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestGovernor_columnsAtOnce(t *testing.T) {
	cores := runtime.GOMAXPROCS(0)
	g := newGovernor(MinMemoryBytes)
	for name, c := range map[string]struct {
		governor    *governor
		fixed, each int64
		want        int
	}{
		"no limit":   {nil, 1 << 40, 1 << 40, cores},
		"little":     {g, 0, 1, cores},
		"one fits":   {g, g.all / 2, g.all / 2, 1},
		"none fits":  {g, 2 * g.all, g.all, 1},
		"no columns": {g, 0, 0, cores},
	} {
		if got := c.governor.columns(c.fixed, c.each); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

// TestRun_letsGoBeforeItTakesAgain: who holds memory while it waits for more waits for itself.
func TestRun_letsGoBeforeItTakesAgain(t *testing.T) {
	r := &run{e: &Engine{governor: newGovernor(MinMemoryBytes)}}
	for range 3 {
		if err := r.hold(t.Context(), r.e.governor.all); err != nil {
			t.Fatal(err)
		}
	}
	r.letGo()
	r.letGo()
	if release, err := r.e.governor.take(t.Context(), r.e.governor.all); err != nil {
		t.Fatal(err)
	} else {
		release()
	}
}
