package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

var errDead = errors.New("the process is dead")

// mortalState is a control table that a dead process no longer reaches.
type mortalState struct {
	statestore.Backend
	dead func() bool
}

func (m mortalState) Read(ctx context.Context, path string) (statestore.Item, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Backend.Read(ctx, path)
}

func (m mortalState) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Backend.Update(ctx, u)
}

func (m mortalState) Release(ctx context.Context, path, owner string) error {
	if m.dead() {
		return errDead
	}
	return m.Backend.Release(ctx, path, owner)
}

// mortalLake is a bucket that a dead process no longer reaches.
type mortalLake struct {
	object.Store
	dead func() bool
}

func (m mortalLake) Head(ctx context.Context, key string) (object.Info, error) {
	if m.dead() {
		return object.Info{}, errDead
	}
	return m.Store.Head(ctx, key)
}

func (m mortalLake) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if m.dead() {
		return nil, object.Info{}, errDead
	}
	return m.Store.Get(ctx, key, in)
}

func (m mortalLake) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	if m.dead() {
		return object.Info{}, errDead
	}
	return m.Store.Put(ctx, key, body, in)
}

func (m mortalLake) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	if m.dead() {
		return func(yield func(object.Entry, error) bool) { yield(object.Entry{}, errDead) }
	}
	return m.Store.List(ctx, in)
}

func (m mortalLake) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return mortalUpload{m.Store.Create(ctx, key, in), m.dead}
}

type mortalUpload struct {
	object.Upload
	dead func() bool
}

func (u mortalUpload) Close(ctx context.Context) (object.Info, error) {
	if u.dead() {
		return object.Info{}, errDead
	}
	return u.Upload.Close(ctx)
}

// slowState delays its n-th update past the death of its caller.
type slowState struct {
	statestore.Backend
	at int

	mu      sync.Mutex
	updates int
	delayed *statestore.Update
}

func (s *slowState) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	s.mu.Lock()
	s.updates++
	n := s.updates
	if n == s.at {
		u.Set = maps.Clone(u.Set)
		s.delayed = &u
	}
	s.mu.Unlock()
	if n >= s.at {
		return nil, errDead
	}
	return s.Backend.Update(ctx, u)
}

func (s *slowState) Read(ctx context.Context, path string) (statestore.Item, error) {
	if s.dead() {
		return nil, errDead
	}
	return s.Backend.Read(ctx, path)
}

func (s *slowState) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updates >= s.at
}

func (s *slowState) release(ctx context.Context) {
	if s.delayed != nil {
		_, _ = s.Backend.Update(ctx, *s.delayed)
	}
}

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
		got := b.tickOn(lake, mortalState{b.state, func() bool { return crash && lake.Fired() }})
		return got, func() { _ = lake.Release(context.Background()) }
	}
}

func stateHow(mode statestorefault.Mode) func(b *bench, i int) (replicate.Result, func()) {
	return func(b *bench, i int) (replicate.Result, func()) {
		state := statestorefault.New(b.state, i, mode)
		crash := mode == statestorefault.DyingFirst || mode == statestorefault.DyingAfter
		got := b.tickOn(mortalLake{b.lake, func() bool { return crash && state.Effects() >= i }}, state)
		return got, func() {}
	}
}

func stateSlow(b *bench, i int) (replicate.Result, func()) {
	state := &slowState{Backend: b.state, at: i}
	got := b.tickOn(mortalLake{b.lake, state.dead}, state)
	return got, func() { state.release(context.Background()) }
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
		{"state not done", stateHow(statestorefault.Before), []int{0}},
		{"state answer lost", stateHow(statestorefault.After), []int{0}},
		{"state dead before", stateHow(statestorefault.DyingFirst), []int{0}},
		{"state dead after", stateHow(statestorefault.DyingAfter), []int{0}},
		{"state late", stateSlow, []int{0, -1}},
	}
}

// crashEverywhere fails every effect of the next run of b in every way, and
// then runs until idle on healthy stores. It returns how many points it tried.
func crashEverywhere(t *testing.T, b *bench, lakes, states []how) int {
	t.Helper()
	healthy := b.fork()
	lake, state := objectfault.New(healthy.lake, objectfault.Fault{}), statestorefault.New(healthy.state, 0, statestorefault.Before)
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
