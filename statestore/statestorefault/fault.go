// Package statestorefault breaks a control table on purpose: it lets one chosen effect fail, so that a test can
// break every effect of a run in turn and compare what the next run makes of it.
//
// Words. An effect is a call that may change something: EnsureTable, Create, Update, Claim, Renew, Release. Reading is
// none. Effects are numbered from 1 in the order they begin. It does not know what the calls mean.
package statestorefault

import (
	"context"
	"errors"
	"sync"
	"time"

	"sluice/statestore"
)

// ErrInjected is returned by the effect that was chosen to fail, and by everything after the death of a table.
var ErrInjected = errors.New("injected fault")

// Mode is how the chosen effect fails.
type Mode int

// The modes. A dying table answers nothing any more afterwards, as if the process that uses it were gone.
const (
	Before     Mode = iota // not done, error
	After                  // done, error: a lost answer
	DyingFirst             // not done, error, and so is every call that follows
	DyingAfter             // done, error, and every call that follows is an error and not done
)

// Backend is a control table with one effect that fails.
type Backend struct {
	statestore.Backend

	chosen int
	mode   Mode

	mu      sync.Mutex
	effects int
}

// New returns b with its n-th effect failing in that mode. With n of 0 nothing fails: for counting.
func New(b statestore.Backend, n int, mode Mode) *Backend {
	return &Backend{Backend: b, chosen: n, mode: mode}
}

// Effects returns how many effects were begun.
func (b *Backend) Effects() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.effects
}

// EnsureTable implements statestore.Backend.
func (b *Backend) EnsureTable(ctx context.Context) error {
	return b.effect(func() error { return b.Backend.EnsureTable(ctx) })
}

// Create implements statestore.Items.
func (b *Backend) Create(ctx context.Context, item statestore.Item) error {
	return b.effect(func() error { return b.Backend.Create(ctx, item) })
}

// Update implements statestore.Items.
func (b *Backend) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	var after statestore.Item
	err := b.effect(func() (err error) {
		after, err = b.Backend.Update(ctx, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// Claim implements statestore.Leases.
func (b *Backend) Claim(ctx context.Context, path, owner string, ttl time.Duration) error {
	return b.effect(func() error { return b.Backend.Claim(ctx, path, owner, ttl) })
}

// Renew implements statestore.Leases.
func (b *Backend) Renew(ctx context.Context, path, owner string, ttl time.Duration) error {
	return b.effect(func() error { return b.Backend.Renew(ctx, path, owner, ttl) })
}

// Release implements statestore.Leases.
func (b *Backend) Release(ctx context.Context, path, owner string) error {
	return b.effect(func() error { return b.Backend.Release(ctx, path, owner) })
}

// effect counts do and runs it, unless it is the one that fails before, or the table is dead. The error of a refused
// effect is its own even when it was chosen: nothing happened whose answer could be lost.
func (b *Backend) effect(do func() error) error {
	b.mu.Lock()
	b.effects++
	hit, dead := b.effects == b.chosen, b.dead(b.effects)
	b.mu.Unlock()
	switch {
	case dead, hit && (b.mode == Before || b.mode == DyingFirst):
		return ErrInjected
	case hit:
		if err := do(); err != nil && b.mode == After {
			return err
		}
		return ErrInjected
	default:
		return do()
	}
}

// dead reports whether the n-th effect comes after the one that the table died of.
func (b *Backend) dead(n int) bool {
	return b.chosen > 0 && n > b.chosen && (b.mode == DyingFirst || b.mode == DyingAfter)
}
