package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore/statestorefault"
)

// releasing lets a delayed effect out before its n-th write.
type releasing struct {
	object.Store
	mu      sync.Mutex
	at      int
	release func()
}

func (r *releasing) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at--; r.at == 0 {
		r.release()
	}
}

func (r *releasing) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	r.count()
	return r.Store.Put(ctx, key, body, in)
}

func (r *releasing) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	r.count()
	return r.Store.Create(ctx, key, in)
}

// how is a way in which the i-th effect of a run goes wrong; lake or control table.
type how struct {
	name string
	// run lets b's next run fail at effect i and returns what lets a delayed effect out, or nil.
	run func(b *bench, i int) (got replicate.Result, release func())
	at  []int // when a delayed effect arrives: 0 at once, n before the n-th write of the next run, -1 in the end
}

func lakeHow(how objectfault.How, crash bool) func(b *bench, i int) (replicate.Result, func()) {
	return func(b *bench, i int) (replicate.Result, func()) {
		lake := objectfault.New(b.lake, objectfault.Fault{At: i, How: how, Crash: crash})
		state := statestorefault.New(b.state, statestorefault.Fault{})
		state.DieWith(lake.Dead)
		got := b.tickOn(lake, state)
		return got, func() { _ = lake.Arrive(context.Background()) }
	}
}

func stateHow(how statestorefault.How, crash bool) func(b *bench, i int) (replicate.Result, func()) {
	return func(b *bench, i int) (replicate.Result, func()) {
		lake := objectfault.New(b.lake, objectfault.Fault{})
		state := statestorefault.New(b.state, statestorefault.Fault{At: i, How: how, Crash: crash})
		lake.DieWith(state.Dead)
		got := b.tickOn(lake, state)
		return got, func() { _ = state.Arrive(context.Background()) }
	}
}

func lakeHows() []how {
	return []how{
		{"not done", lakeHow(objectfault.Before, false), []int{0}},
		{"answer lost", lakeHow(objectfault.After, false), []int{0}},
		{"late, caller lives", lakeHow(objectfault.Delayed, false), []int{0, 2}},
		{"dead before", lakeHow(objectfault.Before, true), []int{0}},
		{"dead after", lakeHow(objectfault.After, true), []int{0}},
		{"late, caller dead", lakeHow(objectfault.Delayed, true), []int{0, -1}},
	}
}

func stateHows() []how {
	return []how{
		{"state not done", stateHow(statestorefault.Before, false), []int{0}},
		{"state answer lost", stateHow(statestorefault.After, false), []int{0}},
		{"state dead before", stateHow(statestorefault.Before, true), []int{0}},
		{"state dead after", stateHow(statestorefault.After, true), []int{0}},
		{"state late", stateHow(statestorefault.Delayed, true), []int{0, -1}},
	}
}

// crashEverywhere fails every effect of the next run of b in every way, and
// then runs until idle on healthy stores. It returns how many points it tried.
func crashEverywhere(t *testing.T, b *bench, lakes, states []how) int {
	t.Helper()
	healthy := b.fork()
	lake, state := objectfault.New(healthy.lake, objectfault.Fault{}), statestorefault.New(healthy.state, statestorefault.Fault{})
	if got := healthy.tickOn(lake, state); got.Action == replicate.Halted || got.Action == replicate.Failed {
		t.Fatalf("healthy run: %s: %s", got.Action, got.Reason)
	}
	if err := errors.Join(healthy.settle(), healthy.wrong()); err != nil {
		t.Fatalf("healthy run: %v", err)
	}
	watchHealthy(t, b.fork())
	points := 0
	for _, part := range []struct {
		hows    []how
		effects int
	}{{lakes, lake.Effects()}, {states, state.Effects()}} {
		for _, how := range part.hows {
			for i := 1; i <= part.effects; i++ {
				for _, at := range how.at {
					points++
					if err := crashOnce(b.fork(), how, i, at); err != nil {
						t.Errorf("%s, effect %d of %d, released at %d: %v", how.name, i, part.effects, at, err)
					}
				}
			}
		}
	}
	return points
}

func watchHealthy(t *testing.T, b *bench) {
	t.Helper()
	var once sync.Once
	look := func() {
		if err := b.torn(); err != nil {
			once.Do(func() { t.Errorf("healthy run, a reader: %v", err) })
		}
	}
	b.tickOn(watched{b.lake, look, &sync.Mutex{}}, b.state)
}

func crashOnce(b *bench, h how, i, at int) error {
	got, release := h.run(b, i)
	if got.Action == replicate.Halted {
		return fmt.Errorf("halted in the run with the fault: %s", got.Reason)
	}
	if err := b.torn(); err != nil {
		return fmt.Errorf("a reader after the fault: %w", err)
	}
	b.config.Owner = "second"
	switch {
	case at == 0:
		release()
	case at > 0:
		if got := b.tickOn(&releasing{Store: b.lake, at: at, release: release}, b.state); got.Action == replicate.Halted {
			return fmt.Errorf("halted in the run that the late effect fell into: %s", got.Reason)
		}
	}
	if err := b.torn(); err != nil {
		return fmt.Errorf("a reader after the late effect: %w", err)
	}
	if err := b.settle(); err != nil {
		return fmt.Errorf("next runs: %w", err)
	}
	release()
	*b.clock = b.clock.Add(time.Minute)
	return errors.Join(b.settle(), b.wrong())
}
