// Package statestorefault breaks a control table in one place, for tests that ask what a crash leaves behind: what
// package objectfault is to a bucket.
//
// Words: an effect is a call that may change something: EnsureTable, Create, Update, Claim, Renew, Release of a lease.
// Reading is none. Effects are counted from 1 in the order in which they begin. A fault says which effect goes wrong,
// and how.
//
// What it promises: every effect but the faulty one reaches the table as it is. What it does not know: what the calls
// mean; a test counts them in a run without a fault and then tries each.
package statestorefault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/statestore"
)

// ErrInjected is returned by the effect that was chosen to fail, and by everything after the death of its process.
var ErrInjected = errors.New("injected fault")

// How says what becomes of the faulty effect.
type How int

// The ways. A request that the client itself sends again is After: backends answer the second one's refusal with an
// error that leaves open what happened (see statestore.Items).
const (
	// Before says that the effect does not take place.
	Before How = iota + 1
	// After says that the effect takes place and its answer is lost.
	After
	// Delayed says that the effect takes place when Arrive is called, like a request that was under way when its sender died.
	Delayed
	// Twice says that the effect takes place and is answered, and that the same request arrives once more when Arrive is
	// called, like one that the network kept a copy of.
	Twice
)

// Fault chooses the effect. At 0 is none. With Crash the answer is lost, and every later effect and read fails, too, as
// if the process had ended.
type Fault struct {
	At    int
	How   How
	Crash bool
}

// Backend is a control table with a fault. It is safe for concurrent use where the other is.
type Backend struct {
	statestore.Backend
	fault Fault

	mu      sync.Mutex
	effects int
	dead    bool
	killed  func() bool
	waiting func(context.Context) error
}

// New returns b with a fault.
func New(b statestore.Backend, fault Fault) *Backend { return &Backend{Backend: b, fault: fault} }

// Effects returns how many effects began.
func (b *Backend) Effects() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.effects
}

// Fired tells whether the faulty effect was reached.
func (b *Backend) Fired() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fault.At > 0 && b.effects >= b.fault.At
}

// Dead tells whether the process that uses the table has ended by its fault.
func (b *Backend) Dead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dead
}

// DieWith lets the table be out of reach, too, when the process has ended by the fault of something else that it uses.
// Call it before the table is used.
func (b *Backend) DieWith(dead func() bool) { b.killed = dead }

// Arrive lets the request that waits arrive, a delayed one or the second of two, and returns the table's answer to it:
// nil when there is none waiting.
func (b *Backend) Arrive(ctx context.Context) error {
	b.mu.Lock()
	effect := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	if effect == nil {
		return nil
	}
	return effect(ctx)
}

// EnsureTable implements statestore.Backend.
func (b *Backend) EnsureTable(ctx context.Context) error { return b.effect(ctx, b.Backend.EnsureTable) }

// Create implements statestore.Items.
func (b *Backend) Create(ctx context.Context, item statestore.Item) error {
	item = maps.Clone(item) // a delayed effect outlives the call
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.Create(ctx, item) })
}

// Update implements statestore.Items.
func (b *Backend) Update(ctx context.Context, u statestore.Update) (after statestore.Item, err error) {
	u.Set, u.Remove = maps.Clone(u.Set), slices.Clone(u.Remove)
	u.If, u.IfAny = slices.Clone(u.If), slices.Clone(u.IfAny)
	err = b.effect(ctx, func(ctx context.Context) error {
		item, err := b.Backend.Update(ctx, u)
		if after == nil {
			after = item
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// Claim implements statestore.Leases.
func (b *Backend) Claim(ctx context.Context, path, owner string, ttl time.Duration) error {
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.Claim(ctx, path, owner, ttl) })
}

// Renew implements statestore.Leases.
func (b *Backend) Renew(ctx context.Context, path, owner string, ttl time.Duration) error {
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.Renew(ctx, path, owner, ttl) })
}

// Release implements statestore.Leases.
func (b *Backend) Release(ctx context.Context, path, owner string) error {
	return b.effect(ctx, func(ctx context.Context) error { return b.Backend.Release(ctx, path, owner) })
}

// next counts an effect and says what is to become of it: 0 for nothing special.
func (b *Backend) next() (How, error) {
	if err := b.alive(); err != nil {
		return Before, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.effects++
	if b.effects != b.fault.At {
		return 0, nil
	}
	b.dead = b.fault.Crash
	return b.fault.How, fmt.Errorf("%w: effect %d", ErrInjected, b.effects)
}

func (b *Backend) alive() error {
	if b.Dead() || b.killed != nil && b.killed() {
		return fmt.Errorf("%w: the process is dead", ErrInjected)
	}
	return nil
}

// effect counts and performs do, or does to it what the fault says.
func (b *Backend) effect(ctx context.Context, do func(context.Context) error) error {
	how, fault := b.next()
	switch how {
	case Before:
		return fault
	case After:
		_ = do(ctx) // the answer that is lost, whatever it was
		return fault
	case Delayed:
		b.wait(do)
		return fault
	case Twice:
		err := do(ctx)
		b.wait(do)
		if b.fault.Crash {
			return fault
		}
		return err
	}
	return do(ctx)
}

func (b *Backend) wait(effect func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = effect
}
